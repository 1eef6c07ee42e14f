"""What a checkpoint keeps of a stream, and whether another stream can go on from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import Invalid, Refused

FORMAT = 1
_PARTS = {
    "files": "the files (their names, sizes, first 64 KiB or datasets)",
    "fields": "the configuration of the fields",
    "stream": "the stream (its name, selection, split, condition, shuffle or last)",
}


class Plan(NamedTuple):
    """What decides which samples a position stands for."""

    stream: str
    world_size: int
    batch: int  #: rows of a full batch of one trainer
    steps: int  #: per epoch
    fingerprint: Mapping[str, str]

    @property
    def global_batch(self) -> int:
        return self.batch * self.world_size

    def following(self, epoch: int, step: int) -> tuple[int, int]:
        """The position after that one."""
        return (epoch, step + 1) if step + 1 < self.steps else (epoch + 1, 0)


def rows_of_last_batch(plan: Plan, samples: int, rank: int) -> int:
    """Real rows of this trainer's last batch of an epoch where last = partial or pad; as the schedule deals them."""
    rows = samples - (plan.steps - 1) * plan.global_batch if "trainers" not in plan.fingerprint else samples
    mine = rows // plan.world_size + (rank < rows % plan.world_size)
    if "trainers" in plan.fingerprint:  # shuffle = none: each has a run of the file
        mine = max(0, mine - (plan.steps - 1) * plan.batch)
    return min(mine, plan.batch)


def make(plan: Plan, service: str, position: tuple[int, int]) -> dict[str, Any]:
    return {
        "headrace": FORMAT,
        "service": service,
        "stream": plan.stream,
        "epoch": position[0],
        "step": position[1],
        "world_size": plan.world_size,
        "global_batch": plan.global_batch,
        "fingerprint": dict(plan.fingerprint),
    }


def after(plan: Plan, service: str, epoch: int, step: int) -> dict[str, Any]:
    """The state once that batch is consumed."""
    return make(plan, service, plan.following(epoch, step))


def position_in(plan: Plan, state: Mapping[str, Any], strict: bool) -> tuple[int, int]:
    """Where a stream of that plan goes on with the samples that the state's stream has not consumed.

    Refused where it is not the same order of the same samples, unless strict is false.
    """
    try:
        form, stream = state["headrace"], str(state["stream"])
        epoch, step, rows = int(state["epoch"]), int(state["step"]), int(state["global_batch"])
        found = {str(name): str(text) for name, text in state["fingerprint"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(f"this is no state of a stream ({error!r}); give what state_dict() returned") from None
    if form != FORMAT:
        raise Invalid(f"the state is of format {form}, this package knows {FORMAT}; use the Headrace that wrote it")
    if strict:
        _compare(plan, stream, found, rows, epoch, step)
    if step == 0 or rows == plan.global_batch:
        return epoch, step
    consumed = step * rows
    if consumed % plan.global_batch:
        raise Refused(
            f"the state of stream '{stream}' is behind {consumed} samples of epoch {epoch} ({step} global batches of "
            f"{rows}), which is not a whole number of global batches of {plan.global_batch} ({plan.world_size} "
            f"trainers with batch {plan.batch}); {_keep(rows)}"
        )
    step = consumed // plan.global_batch
    return (epoch, step) if step < plan.steps else (epoch + 1, 0)


def _as_then(windows: str | None) -> str:
    """With what they come again, on whatever machine: bytes and auto depend on that."""
    known = re.fullmatch(r"\d+ of (\d+) blocks of (\d+) bytes", windows or "")
    return f" (window = {known[1]}, block = {known[2]})" if known else ' (window = "none")'


def differences(plan: Plan, found: Mapping[str, str], step: int = 1, epoch: int = 0) -> list[str]:
    """What of the fingerprint is not the plan's, in words. At step 0 it is all the same how an epoch is divided, and
    behind epoch 0 how that one began."""
    words = []
    for part in sorted({*plan.fingerprint, *found}):
        then, now = found.get(part), plan.fingerprint.get(part)
        if then == now or (part in ("trainers", "window", "start") and step == 0) or (part == "start" and epoch > 0):
            continue
        if part == "trainers":
            words.append(
                f"the number of trainers, {then} then and {now} now, of which each has its own run (shuffle = none)"
            )
        elif part == "window":
            words.append(f"the windows (window, block), {then or 'none'} then{_as_then(then)} and {now or 'none'} now")
        elif part == "start":
            words.append(f"the start of epoch 0 (start, block), {then or 'loaded'} then and {now or 'loaded'} now")
        elif part == "seed":
            words.append(f"the seed, {then} then and {now} now")
        else:
            words.append(_PARTS.get(part, part))
    return words


def _compare(plan: Plan, stream: str, found: Mapping[str, str], rows: int, epoch: int, step: int) -> None:
    if stream != plan.stream:
        raise Refused(
            f"the state is of stream '{stream}', and this is stream '{plan.stream}'; load it into the stream of that "
            "name"
        )
    different = differences(plan, found, step, epoch)
    if different:
        raise Refused(
            f"the state of stream '{stream}' does not fit this service: {'; '.join(different)} changed since, so its "
            "position would mean other samples; serve what was served then, or go on at (epoch, step) all the same "
            "with load_state_dict(state, strict=False)"
        )
    if step and rows != plan.global_batch:
        raise Refused(
            f"the state of stream '{stream}' counts global batches of {rows} samples, and {plan.world_size} trainers "
            f"with batch {plan.batch} make {plan.global_batch}; {_keep(rows)}, or convert the position, where it comes "
            "out even, with load_state_dict(state, strict=False)"
        )


def _keep(rows: int) -> str:
    return f"serve the stream with global-batch = {rows}, which any number of trainers that divides it can share"
