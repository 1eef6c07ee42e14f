"""Replicas: processes that are one trainer together, and get the same batches in the same memory, to read only.

Each replica here is a process of its own that does what it is told, line by line, and answers.
"""

import contextlib
import ctypes
import json
import signal
import subprocess
import sys

import headrace
import pytest
from conftest import BUILD, patiently

ACTOR = """
import ctypes, gc, os, sys, time
import headrace, numpy as np
name, replica = sys.argv[1], int(sys.argv[2])
stream = headrace.connect(name, rank=0, world_size=1, replica=replica, timeout=60, progress=False, batch_timeout=60)
def take(count, loop=None):
    loop = loop or iter(stream)
    seen = []
    for _ in range(count):
        batch = next(loop, None)
        if batch is None: break
        assert (batch["label"] == 10 * batch.index).all()
        seen.append((batch.epoch, batch.step, int(batch["label"][0])))
    return seen
def whole(): return take(10**6)
print("ready", flush=True)
for line in sys.stdin:
    try: answer = eval(line)
    except SyntaxError: exec(line); answer = None
    except Exception as error: answer = f"{type(error).__name__}: {error}"
    print(repr(answer), flush=True)
"""


class Replica:
    def __init__(self, name, number, ready=True):
        command = [sys.executable, "-u", "-c", ACTOR, name, str(number)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if ready:
            self.ready()

    def ready(self):
        line = self.process.stdout.readline()
        assert line == "ready\n", self.process.stderr.read()

    def tell(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return eval(line)

    def do(self, what):
        self.tell(what)
        return self.hear()

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait()


class Group(list):
    """do(): all at once, what they answer in order."""

    def do(self, what):
        for replica in self:
            replica.tell(what)
        return [replica.hear() for replica in self]


@pytest.fixture
def group(serve_real):
    """group(3, ...): that many replicas of a service of its own."""
    with contextlib.ExitStack() as ends:

        def make(count, **keys):
            service = serve_real(**{"replicas": count, "epochs": 0, **keys})
            members = Group(Replica(service.name, number, ready=False) for number in range(count))
            for member in members:
                ends.callback(member.process.communicate)
                ends.callback(member.process.kill)
                member.ready()
            members.service = service
            return members

        yield make


def test_all_get_the_same_batches_in_the_same_memory(group):
    members = group(3)
    first, *others = members.do("whole()")
    assert [step for _, step, _ in first] == list(range(10)) and others == [first, first]
    # In place: the pages are those of one file.
    held = members.do("batch")
    assert all("NameError" in str(answer) for answer in held)
    members.do("batch = next(iter(stream))")
    rings = members.do(
        "[line.split()[4] for line in open('/proc/self/maps') if 'memfd:headrace-' in line and 'r--s' in line]"
    )
    assert len(rings[0]) == 1 and rings == [rings[0]] * 3


def test_what_they_are_told(group):
    leader, follower = group(2)
    assert leader.do("stream.replica, stream.replicas") == (0, 2)
    assert follower.do("stream.replica, stream.replicas") == (1, 2)
    assert "replica 1 of 2" in follower.do("repr(stream)")
    assert follower.do("list(stream.peek()) == list(stream.schema)") is True
    command = [BUILD / "bin" / "headrace", "stat", leader.process.args[-2]]
    stat = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    (trainer,) = json.loads(stat.stdout)["trainers"]
    assert trainer["replicas"] == 2
    assert [(one["replica"], one["who"].split()[1]) for one in trainer["here"]] == [
        (0, str(leader.process.pid)),
        (1, str(follower.process.pid)),
    ]
    stat = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"replica 1 of 2 (process {follower.process.pid} on" in stat.stdout


def test_only_replica_0_seeks_and_saves(group):
    leader, follower = members = group(2)
    for what in ("stream.seek(1)", "stream.load_state_dict({})", "stream.state_dict()"):
        answer = follower.do(what)
        assert answer.startswith("Refused: ") and "replica 1 of rank 0" in answer and "replica 0" in answer, answer
    assert leader.do("take(3)") == follower.do("take(3)")
    state = leader.do("stream.state_dict()")
    assert (state["epoch"], state["step"]) == (0, 3)
    assert leader.do("stream.seek(4, 7)") is None
    expected, followed = members.do("whole()")
    assert [place[:2] for place in expected] == [(4, 7), (4, 8), (4, 9)] and followed == expected
    assert leader.do(f"stream.load_state_dict({state!r})") is None
    expected, followed = members.do("whole()")
    assert [place[:2] for place in expected] == [(0, step) for step in range(3, 10)] and followed == expected


def test_a_seek_while_others_are_behind(group):
    """They get all that replica 0 got, then what it sought, and nothing in between."""
    leader, follower = group(2, slots=4)
    first = leader.do("take(3, loop := iter(stream))")
    assert leader.do("stream.seek(5, 8)") is None
    leader.tell("whole()")  # waits: the others have all slots
    got = follower.do("[*take(3), *whole()]")
    then = leader.hear()
    assert [place[:2] for place in then] == [(5, 8), (5, 9)]
    assert got == first + then


def test_loops_left_alike_start_alike(group):
    members = group(3)
    for count, epoch in ((1, 0), (1, 0), (4, 0), (4, 1), (10, 2), (2, 3), (20, 4)):
        first, *others = members.do(f"take({count})")
        assert first[0][:2] == (epoch, 0)
        assert others == [first, first]
    first, *others = members.do("take(4)")
    rest, *other_rests = members.do("take(99, stream.resume())")
    assert [step for _, step, _ in first + rest] == list(range(10)) and other_rests == [rest, rest]
    assert members.do("stream.set_epoch(9)") == [None] * 3
    first, *others = members.do("take(2)")
    assert first[0][:2] == (9, 0) and others == [first, first]


def test_loops_of_one_far_ahead_of_the_others(group):
    """Nobody waits for anybody but by the slots."""
    leader, follower = group(2, slots=4)
    loops = "[*take(3), *take(1), *take(2), *take(5)]"
    follower.tell(loops)
    expected = leader.do(loops)
    assert [place[:2] for place in expected[:3]] == [(0, 0), (0, 1), (0, 2)]
    assert follower.hear() == expected


def test_the_end_of_counted_epochs(group):
    leader, follower = members = group(2, epochs=2)
    assert [len(seen) for seen in members.do("whole()")] == [10, 10]
    # The last batch is kept: a service whose epochs are all consumed ends.
    leader.tell("whole()")
    assert follower.do("for held in stream: pass") is None
    assert len(leader.hear()) == 10
    assert members.do("whole()") == [[], []]
    assert leader.do("stream.seek(0, 9)") is None
    first, second = members.do("whole()")
    assert [seen[:2] for seen in first] == [(0, 9)] and second == first
    assert follower.do("held.epoch, held.step, bool((held['label'] == 10 * held.index).all())") == (1, 9, True)


def test_a_slow_one_is_waited_for(group):
    leader, slow = group(2, slots=3)
    assert len(leader.do("take(3, loop := iter(stream))")) == 3
    leader.tell("take(1, loop)")
    assert len(slow.do("take(1, loop := iter(stream))")) == 1  # the loop holds nothing: its slot is free now
    assert leader.hear()[0][:2] == (0, 3)
    slow.do("held = [next(loop), next(loop)]")
    assert slow.do("[(batch.epoch, batch.step) for batch in held]") == [(0, 1), (0, 2)]
    assert slow.do("all((batch['label'] == 10 * batch.index).all() for batch in held)") is True


@pytest.mark.parametrize("ending", ["kill", "close", "goodbye"])
def test_what_one_holds_that_is_gone_lapses(group, ending):
    leader, other, gone = group(3, slots=2)
    gone.do("held = [next(loop := iter(stream)), next(loop)]")
    for member in (leader, other):
        assert len(member.do("take(2, loop := iter(stream))")) == 2
    if ending == "kill":
        gone.kill()
    else:
        gone.do(f"stream.close(goodbye={ending == 'goodbye'})")
    other.tell("take(30, loop)")
    expected = leader.do("take(30, loop)")
    assert len(expected) == 8 and other.hear() == expected
    if ending == "close":  # its views have what they had
        assert gone.do("all((batch['label'] == 10 * batch.index).all() for batch in held)").startswith("ValueError")


def test_replica_0_may_go_too(group):
    leader, follower = group(2)
    assert leader.do("take(2)") == follower.do("take(2, loop := iter(stream))")
    leader.kill()
    assert len(follower.do("take(30, loop)")) == 8  # to the end of its epoch, and on
    answer = follower.do("[*take(2), *take(2)]")
    assert answer.startswith("Refused: ") and "replica 0 of rank 0 of stream 'train' is gone" in answer


def test_a_new_group_begins_when_all_are_gone(group):
    leader, follower = group(2)
    assert leader.do("take(4)") == follower.do("take(4)")
    follower.kill()
    service = leader.process.args[-2]
    late = Replica(service, 1, ready=False)
    with contextlib.closing(late.process.stdout):
        late.process.wait()
        assert "replica 1 of rank 0 has come already" in late.process.stderr.read()
    leader.kill()
    leader, follower = Replica(service, 0, ready=False), Replica(service, 1, ready=False)
    try:
        leader.ready(), follower.ready()
        follower.tell("take(99)")
        first = leader.do("take(99)")
        assert [place[:2] for place in first] == [(0, step) for step in range(4, 10)]  # where the former one ended
        assert follower.hear() == first
    finally:
        leader.kill(), follower.kill()


def test_writing_into_a_batch(group):
    """NumPy says no; who gets around it ends its own process, and nobody else notices."""
    leader, hostile = group(2)
    assert hostile.do("(batch := next(loop := iter(stream)))['label'].flags.writeable") is False
    assert "read-only" in hostile.do("batch['label'].fill(7)")
    assert "read-only" in hostile.do("np.ndarray.__setitem__(batch['label'], 0, 7)")
    answer = hostile.do("setattr(batch['label'].flags, 'writeable', True)")
    assert answer.startswith("ValueError"), answer
    libc = "ctypes.CDLL(None, use_errno=True)"
    address = "batch['label'].ctypes.data & ~4095"
    assert hostile.do(f"{libc}.mprotect(ctypes.c_void_p({address}), 4096, 3)") == -1
    hostile.tell("ctypes.memset(batch['label'].ctypes.data, 7, 8)")
    assert hostile.process.wait() == -signal.SIGSEGV
    seen = leader.do("whole()")
    assert len(seen) == 10


def test_a_lane_full_of_garbage(group):
    leader, hostile, other = group(3)
    hostile.do("loop = iter(stream)")
    hostile.do("take(1, loop)")
    hostile.do("lane = [l.split()[0] for l in open('/proc/self/maps') if 'memfd:headrace-lane' in l][0].split('-')")
    hostile.do("ctypes.memset(int(lane[0], 16), 0x5a, int(lane[1], 16) - int(lane[0], 16))")
    other.tell("whole()")
    expected = leader.do("whole()")
    assert len(expected) == 10 and other.hear() == expected
    answer = hostile.do("[take(1, loop) for _ in range(99)]")
    assert isinstance(answer, str) and ("Refused" in answer or "corrupted" in answer or "Lost" in answer), answer


def test_refusals(serve_real):
    service = serve_real(replicas=2)
    for options, text in (
        ({"replica": 2, "rank": 0, "world_size": 1}, "served with replicas = 2"),
        ({"replica": -1, "rank": 0, "world_size": 1}, "replicas count from 0"),
        ({"replica": 0}, "rank and world_size"),
    ):
        with pytest.raises(headrace.Error, match=text):
            service.connect(**options)
    with pytest.raises(headrace.Invalid, match="reconnect"):
        service.connect(rank=0, world_size=1, replica=0, reconnect=True)
    plain = serve_real()
    with pytest.raises(headrace.Refused, match="served with replicas = 1"):
        plain.connect(rank=0, world_size=1, replica=1)
    with plain.connect(rank=0, world_size=1, replica=0) as stream:  # the only one
        assert stream.replicas == 1 and next(iter(stream))["label"].flags.writeable


def test_the_first_batch_waits_for_all(serve_real):
    service = serve_real(replicas=2)
    with service.connect(rank=0, world_size=1, replica=0, batch_timeout=0.2) as first:
        with pytest.raises(headrace.Timeout):
            next(iter(first))
        with service.connect(rank=0, world_size=1, replica=1) as second:
            index = next(iter(second)).index.tolist()
            assert patiently(lambda: next(iter(first))).index.tolist() == index


def test_the_order_is_that_without_replicas(group, serve_real):
    """A key that changes who gets batches, and not which: states go from one to the other."""
    with serve_real(epochs=0).connect() as stream:
        first = [int(batch.index[0]) for batch in stream]
        stream.seek(0, 3)
        state = stream.state_dict()
    members = group(2)
    assert members[0].do(f"stream.load_state_dict({state!r})") is None
    expected = [(0, step, 10 * first[step]) for step in range(3, 10)]
    assert members.do("whole()") == [expected, expected]


def test_batches_of_a_closed_stream_keep_their_values(serve_real):
    service = serve_real(replicas=2)
    leader = service.connect(rank=0, world_size=1, replica=0)
    with service.connect(rank=0, world_size=1, replica=1) as follower:
        batch = next(iter(leader))
        view, index = batch["label"], batch.index
        leader.close()
        for _ in follower:
            pass
        assert view.tolist() == (10 * index).tolist()
        assert ctypes.c_int64.from_address(view.ctypes.data).value == 10 * index[0]
