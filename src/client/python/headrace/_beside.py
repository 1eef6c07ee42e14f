"""Calls of the C library that call back into Python, for as long as they like.

Python runs the handlers of signals in its main thread between any two of its steps: in a callback, too, before the
first line of it and behind the last. What a handler raises there, ctypes prints and drops: a Ctrl-C would be lost, and
the call would wait on. So such a call is made in a thread of its own, where no handler runs, while the main thread
waits where an exception is one.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

Made = TypeVar("Made")

_LOOK_EVERY = 0.2  # seconds; a signal that another thread was given wakes nobody
_AT_MOST = 2.0  # seconds for a call that is given up


def beside(call: Callable[[threading.Event], Made], undo: Callable[[Made], None]) -> Made:
    """What `call` returns or raises. Its argument is set once nobody waits for that any more: then it is to come to its
    end soon, and `undo` takes what it has made all the same."""
    given_up = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        return call(given_up)
    settled = threading.Lock()  # of whether it is the caller's, or was given up
    made: list[Made] = []
    raised: list[BaseException] = []

    def work() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are for the thread that waits
        try:
            one = call(given_up)
        except BaseException as error:
            raised.append(error)
            return
        with settled:
            if not given_up.is_set():
                made.append(one)
                return
        undo(one)

    thread = threading.Thread(target=work, name="headrace-beside", daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK_EVERY)
        if raised:
            raise raised[0]
        return made[0]
    except BaseException:
        with settled:
            given_up.set()
        while made:
            undo(made.pop())
        if thread.is_alive():
            thread.join(_AT_MOST)  # what it holds of the library is then given back
        raise
