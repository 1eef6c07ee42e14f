"""Which trainer a process is: arguments and launchers' environments, partial and contradictory ones included."""

import headrace
import pytest
from headrace.ranks import place

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}
OPEN_MPI = {"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "0"}
PMI = {"PMI_RANK": "5", "PMI_SIZE": "6", "MPI_LOCALRANKID": "2"}
SLURM = {"SLURM_PROCID": "4", "SLURM_NTASKS": "5", "SLURM_LOCALID": "0"}
SLURM_STEP = {**SLURM, "SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0"}


@pytest.mark.parametrize(
    ("environ", "expected", "source"),
    [
        ({}, (0, 1, -1), "default"),
        (TORCHRUN, (3, 8, 1), "RANK"),
        (OPEN_MPI, (2, 4, 0), "OMPI_COMM_WORLD_RANK"),
        (PMI, (5, 6, 2), "PMI_RANK"),
        ({"PMI_RANK": "5", "PMI_SIZE": "6"}, (5, 6, -1), "PMI_RANK"),
        ({"PMI_RANK": "5", "PMI_SIZE": "6", "PMI_LOCAL_RANK": "1"}, (5, 6, 1), "PMI_RANK"),
        (SLURM, (4, 5, 0), "SLURM_PROCID"),
        (SLURM_STEP, (4, 5, 0), "SLURM_PROCID"),
        ({**SLURM_STEP, "SLURM_STEP_NUM_TASKS": "6"}, (4, 6, 0), "SLURM_PROCID"),  # a step smaller than the job
        ({**SLURM, **PMI}, (5, 6, 2), "PMI_RANK"),
        ({**SLURM, **PMI, **OPEN_MPI}, (2, 4, 0), "OMPI_COMM_WORLD_RANK"),
        ({**SLURM, **OPEN_MPI, **TORCHRUN}, (3, 8, 1), "RANK"),  # torchrun started by srun or mpirun, once per node
        ({**SLURM, "SLURM_JOB_ID": "77"}, (0, 1, -1), "default"),  # the batch script itself, not a task of a step
        ({"SLURM_JOB_ID": "77", "SLURM_NTASKS": "5"}, (0, 1, -1), "default"),  # the shell of salloc
        ({**SLURM_STEP, "WORLD_SIZE": "5"}, (4, 5, 0), "SLURM_PROCID"),  # exported by the job script, and right
        ({"RANK": "", "WORLD_SIZE": ""}, (0, 1, -1), "default"),
        ({"WORLD_SIZE": "1"}, (0, 1, -1), "default"),
    ],
)
def test_environment(environ, expected, source):
    found = place(environ=environ)
    assert found[:3] == expected
    assert source in str(found)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"RANK": "3"}, ["RANK=3", "WORLD_SIZE"]),
        ({"WORLD_SIZE": "8"}, ["WORLD_SIZE=8", "RANK"]),
        ({"OMPI_COMM_WORLD_RANK": "3"}, ["OMPI_COMM_WORLD_SIZE"]),
        ({"PMI_SIZE": "3"}, ["PMI_SIZE=3", "PMI_RANK"]),
        ({"RANK": "three", "WORLD_SIZE": "8"}, ["RANK='three'", "whole number"]),
        ({"RANK": "8", "WORLD_SIZE": "8"}, ["rank 8 (from RANK)", "8 (from WORLD_SIZE)"]),
        ({"RANK": "-1", "WORLD_SIZE": "8"}, ["rank -1 (from RANK)"]),
        ({"RANK": "0", "WORLD_SIZE": "0"}, ["world size of 0 (from WORLD_SIZE)"]),
        ({**TORCHRUN, "LOCAL_RANK": "8"}, ["local rank 8"]),
        ({**SLURM_STEP, "WORLD_SIZE": "40"}, ["WORLD_SIZE=40", "SLURM_NTASKS=5"]),
    ],
)
def test_partial_or_contradictory_environment(environ, named):
    with pytest.raises(headrace.Invalid) as error:
        place(environ=environ)
    for words in named:
        assert words in str(error.value)


def test_arguments_come_first():
    assert place(1, 2, environ=TORCHRUN)[:3] == (1, 2, -1)
    assert place(3, 4, environ=TORCHRUN)[:3] == (3, 4, 1)  # the launcher's numbering: its local rank holds
    assert place(1, 2, 0, environ=TORCHRUN)[:3] == (1, 2, 0)
    assert place(local_rank=2, environ=TORCHRUN)[:3] == (3, 8, 2)
    assert "given" in str(place(1, 2, environ=TORCHRUN))


@pytest.mark.parametrize("arguments", [{"rank": 3}, {"world_size": 3}, {"rank": 2, "world_size": 2}])
def test_wrong_arguments(arguments):
    with pytest.raises(headrace.Invalid):
        place(**arguments, environ=TORCHRUN)
