"""Calls into C that call back: a Ctrl-C is never lost in the callback, and what was made for nobody is given back."""

import os
import signal
import subprocess
import sys
import threading

import headrace
import pytest
from headrace._beside import beside


def nothing(_made):
    raise AssertionError("nothing was to be undone")


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_as_the_library_calls_back():
    """Python runs the handler before the callback's first line, where no `try` of it holds yet."""
    arrived = []

    def trace(frame, event, _argument):
        if not arrived and event == "call" and frame.f_code.co_name == "tell":
            arrived.append(threading.current_thread().name)
            interrupt()

    sys.settrace(trace)
    threading.settrace(trace)
    try:
        with pytest.raises(KeyboardInterrupt):
            headrace.connect("no-such-service", timeout=5)
    finally:
        sys.settrace(None)
        threading.settrace(None)
    assert arrived


def test_what_is_returned_and_raised():
    assert beside(lambda _: 7, nothing) == 7

    def fail(_given_up):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        beside(fail, nothing)


def test_what_is_made_after_all_is_undone():
    undone = []

    def call(given_up):
        interrupt()
        given_up.wait()
        return 7

    with pytest.raises(KeyboardInterrupt):
        beside(call, undone.append)
    assert undone == [7]


def test_other_threads_call_for_themselves():
    names = []
    thread = threading.Thread(target=lambda: beside(lambda _: names.append(threading.current_thread()), nothing))
    thread.start()
    thread.join()
    assert names == [thread]


CONNECTS_AS_IT_ENDS = """
import sys, threading, time, headrace
calling = threading.Event()
def connect():
    headrace.connect("no-such-service", timeout=600, progress=False)
threading.settrace(lambda frame, *_: calling.set() if frame.f_code.co_name == "tell" else None)
threading.Thread(target=connect, daemon=True).start()
calling.wait()
sys.setswitchinterval(1000)  # the next call back waits for Python, until there is none any more
until = time.monotonic() + 0.5
while time.monotonic() < until:
    pass
"""


def test_python_may_end_while_a_thread_connects():
    """It would end that thread as it calls back, within the library: the process would abort."""
    command = [sys.executable, "-c", CONNECTS_AS_IT_ENDS]
    ends = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for end in ends:
        stderr = end.communicate(timeout=120)[1]
        assert end.returncode == 0, stderr
