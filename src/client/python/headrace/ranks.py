"""Which trainer this process is: from arguments, else from what its launcher put into the environment, else from
torch.distributed or JAX where the program has initialised them (spawned processes, launchers that set half of it)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import NamedTuple, Optional

from .errors import Invalid

Names = tuple[str, ...]  # alternatives, the first one set counts


class Launcher(NamedTuple):
    name: str
    rank: Names
    size: Names
    local: Names


LAUNCHERS = (
    Launcher("torchrun", ("RANK",), ("WORLD_SIZE",), ("LOCAL_RANK",)),
    Launcher("Open MPI", ("OMPI_COMM_WORLD_RANK",), ("OMPI_COMM_WORLD_SIZE",), ("OMPI_COMM_WORLD_LOCAL_RANK",)),
    Launcher("PMI", ("PMI_RANK",), ("PMI_SIZE",), ("MPI_LOCALRANKID", "PMI_LOCAL_RANK")),
    Launcher("Slurm", ("SLURM_PROCID",), ("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"), ("SLURM_LOCALID",)),
)
_GIVE_BOTH = "give connect() rank= and world_size="


class Placement(NamedTuple):
    """A trainer's place, and where each number came from."""

    rank: int
    world_size: int
    local_rank: int  #: -1: not known, any ring of the node
    rank_source: str
    size_source: str

    def __str__(self) -> str:
        return f"rank {self.rank} ({self.rank_source}) of {self.world_size} ({self.size_source})"


def place(
    rank: Optional[int] = None,
    world_size: Optional[int] = None,
    local_rank: Optional[int] = None,
    environ: Optional[Mapping[str, str]] = None,
) -> Placement:
    """Raises Invalid, and names the culprit, where arguments or environment are partial or contradict each other."""
    environ = os.environ if environ is None else environ
    if (rank is None) != (world_size is None):
        given, missing = ("rank", "world_size") if world_size is None else ("world_size", "rank")
        raise Invalid(f"{given} was given without {missing}; give both, or neither to take them from the environment")
    if rank is None or world_size is None:
        found = _agreed(environ, _initialised())
    else:
        found = Placement(int(rank), int(world_size), -1, "given", "given")
        launcher = _launcher(environ)
        if launcher is not None and _whole(environ, launcher.rank)[1] == found.rank:  # the same process numbering
            found = found._replace(local_rank=_local(environ, launcher))
    if local_rank is not None:
        found = found._replace(local_rank=int(local_rank))
    return _checked(found)


def _initialised() -> list[Placement]:
    """What frameworks know that are loaded and initialised. Nothing is imported, nothing begins."""
    found = []
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        source = "torch.distributed"
        found.append(Placement(distributed.get_rank(), distributed.get_world_size(), -1, f"from {source}", source))
    jax = sys.modules.get("jax")
    initialized = getattr(getattr(jax, "distributed", None), "is_initialized", None)  # not in JAX before 0.5.1
    if jax is not None and initialized is not None and initialized():
        found.append(Placement(jax.process_index(), jax.process_count(), -1, "from jax.distributed", "jax.distributed"))
    return found


def _agreed(environ: Mapping[str, str], initialised: list[Placement]) -> Placement:
    """The launcher's, which knows local ranks, too; else that of a framework. All that know one must say the same."""
    launcher = _launcher(environ)
    if launcher is None and initialised:
        local = _whole(environ, LAUNCHERS[0].local)[1]  # Lightning's own launcher sets it, and no RANK
        found = initialised[0]._replace(local_rank=-1 if local is None else local)
    else:
        found = _from_environment(environ)
    for other in initialised:
        if other[:2] != found[:2]:
            raise Invalid(
                f"this process is {found}, and {other}: they contradict each other; {_GIVE_BOTH} of the trainers of "
                "the stream, or unset the variables of the launcher that does not count them"
            )
    return found


def _checked(found: Placement) -> Placement:
    if found.world_size < 1:
        raise Invalid(f"a world size of {found.world_size} ({found.size_source}) holds no trainer; {_GIVE_BOTH}")
    if not 0 <= found.rank < found.world_size:
        raise Invalid(f"{found} is out of range; ranks go from 0 to world_size - 1")
    if not -1 <= found.local_rank < found.world_size:
        raise Invalid(
            f"local rank {found.local_rank} is out of range for {found}; local ranks count from 0 on each node"
        )
    return found


def _from_environment(environ: Mapping[str, str]) -> Placement:
    launcher = _launcher(environ)
    if launcher is None:
        _reject_lonely_sizes(environ)
        return Placement(0, 1, -1, "default, no launcher found", "default")
    rank_name, rank = _whole(environ, launcher.rank)
    size_name, size = _whole(environ, launcher.size)
    if rank is None or size is None:
        raise Invalid(
            f"{rank_name}={rank} is set but {launcher.size[0]} is not, so the number of trainers is unknown; "
            f"set it, or {_GIVE_BOTH}"
        )
    _reject_other_world_size(environ, launcher, size_name, size)
    return Placement(rank, size, _local(environ, launcher), f"from {rank_name}", f"from {size_name}")


def _launcher(environ: Mapping[str, str]) -> Optional[Launcher]:
    """The first launcher that gave this process a rank."""
    for launcher in LAUNCHERS:
        if launcher.name == "Slurm" and _is_batch_script(environ):
            continue
        if any(environ.get(name) for name in launcher.rank):
            return launcher
    return None


def _is_batch_script(environ: Mapping[str, str]) -> bool:
    """Slurm gives the batch script itself a rank and the size of the whole job, though it is no task of a step."""
    steps = ("SLURM_STEP_ID", "SLURM_STEPID", "SLURM_STEP_NODELIST")
    return "SLURM_JOB_ID" in environ and not any(name in environ for name in steps)


def _reject_lonely_sizes(environ: Mapping[str, str]) -> None:
    for launcher in LAUNCHERS:
        name, size = _whole(environ, launcher.size)
        if size is not None and size > 1 and launcher.name != "Slurm":  # salloc's shell knows a size and has no rank
            raise Invalid(
                f"{name}={size} is set but {launcher.rank[0]} is not, so this trainer's rank is unknown; "
                f"set it, or {_GIVE_BOTH}"
            )


def _reject_other_world_size(environ: Mapping[str, str], launcher: Launcher, size_name: str, size: int) -> None:
    """Job scripts often export WORLD_SIZE alone: then it has to agree with the launcher that knows the rank."""
    name, other = _whole(environ, LAUNCHERS[0].size)
    if launcher is not LAUNCHERS[0] and other is not None and other != size:
        raise Invalid(
            f"{name}={other} contradicts {size_name}={size}, and RANK is not set; unset WORLD_SIZE, set RANK too, "
            f"or {_GIVE_BOTH}"
        )


def _local(environ: Mapping[str, str], launcher: Launcher) -> int:
    local = _whole(environ, launcher.local)[1]
    return -1 if local is None else local


def _whole(environ: Mapping[str, str], names: Names) -> tuple[str, Optional[int]]:
    """The first of the variables that is set, and its number."""
    for name in names:
        text = environ.get(name)
        if text:
            try:
                return name, int(text)
            except ValueError:
                raise Invalid(f"{name}={text!r} is not a whole number; correct it, or {_GIVE_BOTH}") from None
    return names[0], None
