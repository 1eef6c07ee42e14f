"""Which trainer a process is: arguments and launchers' environments, partial and contradictory ones included."""

import sys
from types import SimpleNamespace

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


# -- frameworks that the program has initialised -----------------------------------------------------------------------


class Distributed:
    """Of torch or jax, as far as it is asked."""

    def __init__(self, rank, size):
        self.rank, self.size = rank, size

    def is_available(self):
        return True

    def is_initialized(self):
        return self.size > 0

    def get_rank(self):
        return self.rank

    def get_world_size(self):
        return self.size

    @property
    def distributed(self):
        return self

    def process_index(self):
        return self.rank

    def process_count(self):
        return self.size


@pytest.mark.parametrize("module", ["torch.distributed", "jax"])
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (2, 4, -1)),
        ({"WORLD_SIZE": "4", "LOCAL_RANK": "1"}, (2, 4, 1)),  # Lightning's own launcher
        ({"RANK": "2", "WORLD_SIZE": "4", "LOCAL_RANK": "0"}, (2, 4, 0)),
    ],
    ids=["spawned", "half a launcher", "torchrun"],
)
def test_initialised_frameworks_know_the_rank(monkeypatch, module, environ, expected):
    monkeypatch.setitem(sys.modules, module, Distributed(2, 4))
    assert place(environ=environ)[:3] == expected
    assert place(0, 1, environ={}).rank == 0  # arguments come first


def test_a_rank_says_which_framework_it_is_from(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.distributed", Distributed(2, 4))
    assert str(place(environ={})) == "rank 2 (from torch.distributed) of 4 (torch.distributed)"


def test_a_jax_that_cannot_say_whether_it_is_initialised(monkeypatch):
    """As before 0.5.1."""
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(distributed=SimpleNamespace()))
    assert place(environ={})[:2] == (0, 1)


def test_what_is_not_initialised_is_not_asked(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.distributed", Distributed(0, 0))
    monkeypatch.setitem(sys.modules, "jax", Distributed(0, 0))
    assert place(environ=OPEN_MPI)[:2] == (2, 4)
    assert place(environ={})[:2] == (0, 1)


@pytest.mark.parametrize(
    ("environ", "frameworks", "words"),
    [
        (OPEN_MPI, {"torch.distributed": (1, 4)}, ["rank 2 (from OMPI_COMM_WORLD_RANK)", "rank 1 (from torch.distr"]),
        (TORCHRUN, {"jax": (3, 9)}, ["rank 3 (from RANK) of 8", "of 9 (jax.distributed)"]),
        ({}, {"torch.distributed": (1, 4), "jax": (0, 4)}, ["from torch.distributed", "from jax.distributed"]),
    ],
)
def test_contradictions_name_both(monkeypatch, environ, frameworks, words):
    for name, rank in frameworks.items():
        monkeypatch.setitem(sys.modules, name, Distributed(*rank))
    with pytest.raises(headrace.Invalid, match="contradict") as error:
        place(environ=environ)
    for word in words:
        assert word in str(error.value)
