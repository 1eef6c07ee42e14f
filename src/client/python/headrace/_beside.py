"""Calls of the C library that call back into Python, for as long as they like.

Python runs the handlers of signals in its main thread between any two of its steps: in a callback, too, before the
first line of it and behind the last. What a handler raises there, ctypes prints and drops: a Ctrl-C would be lost, and
the call would wait on. So such a call is made in a thread of its own, where no handler runs, while the main thread
waits where an exception is one.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

Made = TypeVar("Made")

_LOOK_EVERY = 0.2  # seconds; a signal that another thread was given wakes nobody
_AT_MOST = 2.0  # seconds for a call that is given up
_AT_MOST_AT_EXIT = 10.0

_inside: dict[object, tuple[threading.Event, threading.Event]] = {}  # calls: given up, done
os.register_at_fork(after_in_child=_inside.clear)  # their threads are the parent's


@atexit.register
def _end_all() -> None:
    """Python ends a thread that calls back into it later than this by unwinding its stack, which the frames of the
    library do not survive: the process would abort."""
    calls = list(_inside.values())
    for given_up, _ in calls:
        given_up.set()
    for _, done in calls:
        done.wait(_AT_MOST_AT_EXIT)


def beside(call: Callable[[threading.Event], Made], undo: Callable[[Made], None]) -> Made:
    """What `call` returns or raises. Its argument is set once nobody waits for that any more: then it is to come to its
    end soon, and `undo` takes what it has made all the same."""
    given_up, done = threading.Event(), threading.Event()

    def inside() -> Made:
        _inside[done] = given_up, done
        try:
            return call(given_up)
        finally:
            _inside.pop(done, None)
            done.set()

    if threading.current_thread() is not threading.main_thread():
        return inside()
    # Not Thread.join and is_alive: a join that a signal interrupts takes the thread for ended (Python 3.11).
    over = threading.Event()
    settled = threading.Lock()  # of whether it is the caller's, or was given up
    made: list[Made] = []
    raised: list[BaseException] = []

    def work() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are for the thread that waits
        try:
            try:
                one = inside()
            except BaseException as error:
                raised.append(error)
                return
            with settled:
                if not given_up.is_set():
                    made.append(one)
                    return
            undo(one)
        finally:
            over.set()

    try:
        threading.Thread(target=work, name="headrace-beside", daemon=True).start()
        while not over.wait(_LOOK_EVERY):
            pass
        if raised:
            raise raised[0]
        return made[0]
    except BaseException:
        with settled:
            given_up.set()
        while made:
            undo(made.pop())
        if not raised:
            over.wait(_AT_MOST)  # what it holds of the library is then given back
        raise
