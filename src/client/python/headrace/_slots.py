"""Where a trainer holds all slots of its ring: some come back by themselves, from devices, other threads, garbage, and
caches of frameworks. It waits for one, within limits, and says which steps it holds.

Garbage is collected meanwhile. Of the young objects at once and often: that is cheap, and JAX lets go of what it is
done with in any collection. Of all objects, which takes some 50 ms once a framework is loaded, only after as long a
wait: a thread that is about to give its batch back is quicker, and would else cost the trainer a whole collection each
time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from ._recovery import log
from ._session import Session
from .errors import Exhausted

EXHAUSTED_TIMEOUT = 10.0  # seconds for a slot to come back
_COLLECT = 0.1  # seconds between collections of all garbage meanwhile, or as long as one takes
_COLLECT_YOUNG = 0.002  # seconds between those of young objects
_FIRST_WARNING = 1.0  # seconds
_BETWEEN = 30.0  # seconds from warning to warning
_NAP = 0.0005  # seconds; a lease that returns wakes nobody, because it may do so inside of anything
_SHOWN = 16  # steps in a text


def wait_for_slot(ready: Callable[[], Session], come_back: Callable[[], bool], who: str, timeout: float) -> None:
    """Returns once a slot may be free. ready(): the session, or raises; come_back() takes back what it can, if any."""
    began = time.monotonic()
    warn_at, collector = began + _FIRST_WARNING, _Collector(began)
    while not come_back():
        now = time.monotonic()
        collector.collect(now)
        session = ready()
        if len(session.held) < session.slots:
            return
        if now >= began + timeout:
            raise Exhausted(_exhausted(session, who, timeout))
        if now >= warn_at:
            log.warning("%s waits for a slot: %s", who, _held(session))
            warn_at = now + _BETWEEN
        time.sleep(_NAP)


class _Collector:
    """Of garbage, during one wait."""

    _took = 0.01  # seconds that a collection of all took, the last time

    def __init__(self, began: float) -> None:
        self._young_at, self._all_at = began, began + _Collector._took

    def collect(self, now: float) -> None:
        if now >= self._all_at:
            gc.collect()
            done = time.monotonic()
            _Collector._took = done - now
            self._all_at = done + max(_COLLECT, done - now)
        elif now >= self._young_at:
            gc.collect(0)
            self._young_at = now + _COLLECT_YOUNG


def _exhausted(session: Session, who: str, timeout: float) -> str:
    waited = f", and none came back within {timeout:.3g} s" if timeout > 0 else ""
    return (
        f"{who}: {_held(session)}{waited}. Drop the batch and its views (del), or keep copies (batch.copy()): lists of "
        "batches, a notebook's Out[], losses with their graph hold them; or give the service more slots"
    )


def _held(session: Session) -> str:
    with session.guard:
        places = sorted(place for _, _, place in session.held.copy().values())  # which may return some meanwhile
    shown = "; ".join(f"epoch {epoch} step {step}" for epoch, step in places[:_SHOWN])
    more = f"; and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return f"all {len(places)} slots are held: {shown}{more}"
