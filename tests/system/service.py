"""The real service, started as users start it; when it has ended, nothing of it may be left."""

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

from stacks import stacks

os.environ.setdefault("VIRTUAL_ENV", sys.prefix)  # by which a service finds the plug-ins of hdf5plugin

HEADRACE = Path(os.environ["HEADRACE_BUILD"]) / "bin" / "headrace"

# By this Open MPI 4 waits no second before and after SIGTERM when it ends what still runs of a job. For tests of what
# has been said by then; not for those that count messages or look at what SIGTERM does: who would say more needs it.
AT_ONCE = {"OMPI_MCA_odls_base_sigkill_timeout": "0"}

# What is said is looked at, not how soon; and who held a rank may be slow to leave.
PATIENT = {"HEADRACE_WAIT_FAREWELL": "20", "HEADRACE_WAIT_HOLDERS": "30"}


@functools.cache
def why_not_two_programs():
    """Nothing, or why `mpirun A : B` cannot be tested: that of Open MPI 5 with a PMIx of its own (Debian 13, Ubuntu 25.04)
    dies of any such command line, before it starts a process."""
    done = subprocess.run(["mpirun", "-n", "1", "true", ":", "-n", "1", "true"], stdin=subprocess.DEVNULL, capture_output=True)
    return "mpirun dies of two programs in one command line" if done.returncode in (-signal.SIGSEGV, 128 + signal.SIGSEGV) else ""


def until(condition, what, seconds=300, every=0.01):
    """Waits until condition() is true, and returns what it said. every: seconds between looks; more if each costs."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(every)
    return found


def stand_still(pid):
    """SIGSTOP, and the moment until every thread of it stands."""
    os.kill(pid, signal.SIGSTOP)
    for task in Path(f"/proc/{pid}/task").iterdir():
        until(lambda: state_of(task) == "T", f"process {pid} stands still")


def state_of(task):
    """A thread's, as /proc says; one that has ended stands still, too."""
    with contextlib.suppress(OSError):
        return (task / "stat").read_text().rpartition(") ")[2][0]
    return "T"


def command_line(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def program_of(pid):
    """What a process runs, by its file's name; nothing once it is gone."""
    with contextlib.suppress(OSError):
        return Path(os.readlink(f"/proc/{pid}/exe")).name
    return ""


def open_files(pid):
    """What a living process has open (`socket:[123]`, a path), by name of its descriptor; it may close some while we look."""
    names = {}
    for number in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names[number] = os.readlink(number)
    return names


@functools.cache
def last_words_come():
    """Whether mpirun passes on what ranks say after it was sent a signal; that of Open MPI 5 does not."""
    version = subprocess.run(["mpirun", "--version"], capture_output=True, text=True, check=True).stdout
    return " 4." in version.splitlines()[0]


def processes_with(word):
    """Numbers of the living processes with this word in their command line."""
    numbers = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    return [n for n in numbers if any(word.encode() in part for part in command_line(n))]


def sockets_with(word):
    return [line for line in Path("/proc/net/unix").read_text().splitlines() if word in line]


class Service:
    """`mpirun -n stagers headrace serve FLAGS`, or without mpirun where stagers is None."""

    def __init__(self, folder, files, stagers, flags, cwd=None, prefix=(), name=None, pass_fds=(), at_once=False):
        self.name = name or f"sys-{uuid.uuid4().hex[:10]}"
        self.shared = Path("/dev/shm") / self.name  # where MPI's shared memory goes, so that others' is not taken for ours
        self.shared.mkdir(exist_ok=True)
        self.log = folder / f"{self.name}.log"
        launch = [*prefix, "mpirun", "-n", str(stagers)] if stagers else [*prefix]
        flags = [f"--{key.replace('_', '-')}={str(value).lower() if isinstance(value, bool) else value}"
                 for key, value in {"slots": 4, **flags}.items()]  # tests count on how far it runs ahead
        self.command = [*launch, str(HEADRACE), "serve", *map(str, files), f"--name={self.name}", *flags]
        environment = {key: value for key, value in os.environ.items()
                       if key.startswith("HEADRACE_WAIT_") or not key.startswith("HEADRACE_")}
        environment["OMPI_MCA_btl_vader_backing_directory"] = str(self.shared)
        environment |= {name: environment.get(name, value) for name, value in PATIENT.items()}
        environment |= AT_ONCE if at_once else {}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            env=environment, cwd=cwd, start_new_session=True, pass_fds=pass_fds)

    def __str__(self):
        return self.name

    @property
    def text(self):
        return self.log.read_text()

    def lines(self, pattern):
        whole, _, _ = self.text.rpartition("\n")  # mpirun may have passed on half of the last one
        return [line for line in whole.splitlines() if re.search(pattern, line)]

    def says(self, pattern):
        """Waits for a line of its output."""
        until(lambda: self.lines(pattern) or self.process.poll() is not None, pattern)
        assert self.lines(pattern), f"ended without {pattern!r}:\n{self.text}"
        return self.lines(pattern)[-1]

    def node(self, k):
        """The name for trainers of node k under --split-nodes."""
        return f"{self.name}.{int(k)}" if k else self.name

    def address(self, zero="@"):
        """Of its abstract socket, as /proc/net/unix shows it, or with its leading zero byte."""
        return f"{zero}headrace/{os.geteuid()}/{self.name}"

    def listens(self):
        """Flag __SO_ACCEPTCON: a socket that has its name may not listen yet."""
        return any(line.split()[3] == "00010000" for line in sockets_with(self.address()))

    def ready(self, nodes=1):
        for k in range(nodes):
            done = control("wait", self.node(k), "--timeout=300")
            assert done.returncode == 0, done.stderr + self.text
        return self

    def stagers(self):
        """Process numbers of the stagers, by rank."""
        ranks = {}
        for pid in processes_with(f"--name={self.name}"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if command_line(pid)[:1] == [os.fsencode(HEADRACE)]:
                    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                    ranks[pid] = [int(v.split(b"=")[1]) for v in variables if v.startswith(b"OMPI_COMM_WORLD_RANK=")]
        return sorted(ranks, key=ranks.get)

    def wait(self, seconds=300):
        """Its exit code, once it has ended by itself."""
        until_then = time.monotonic() + seconds
        while time.monotonic() < until_then:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(min(30, seconds))
            told = stacks(self.process.pid)
            # Open MPI 4.1's mpirun at its own end, after a rank was killed or failed (docs/how-to/troubleshooting.md): ours
            # are all gone.
            ended_badly = re.search("mpirun noticed that process rank|mpirun detected that one or more processes exited", self.text)
            if "PMIx_server_finalize" in told and ended_badly and not self.stagers():
                self.process.kill()
                self.process.wait()
                return 137
        raise AssertionError(f"still running after {seconds} s:\n{self.text}\n{told}")

    def stop(self):
        # One that still loads would end at once, as a failure under mpirun. Many are about to end by themselves, and
        # their socket is gone: `wait` would sit out its time.
        until(lambda: self.process.poll() is not None or control("wait", self.name, "--timeout=0").returncode == 0,
              "loaded", every=0.05)
        done = control("stop", self.name)
        # It may have ended by itself a moment before.
        assert done.returncode == 0 or "there is no service" in done.stderr, done.stderr
        return self.wait()

    def leaves_nothing(self):
        until(lambda: not processes_with(self.name), f"processes left: {processes_with(self.name)}")
        until(lambda: not sockets_with(self.name), "sockets left")  # they go a moment after the command line
        assert not list(self.shared.iterdir())
        assert not [entry for entry in Path("/dev/shm").iterdir() if "headrace" in entry.name]

    def kill(self):
        for pid in {self.process.pid, *processes_with(f"--name={self.name}")}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def running(folder, files=(), stagers=None, cwd=None, prefix=(), listens=True, pass_fds=(), at_once=False, **flags):
    """A service that is gone at the end of the block without a trace; if still running it is stopped, gracefully.

    listens: the block begins when trainers can knock, else at once. at_once: see AT_ONCE.
    """
    service = Service(folder, files, stagers, flags, cwd, prefix, pass_fds=pass_fds, at_once=at_once)
    try:
        if listens:
            until(lambda: service.process.poll() is not None or service.listens(), "socket of the service")
            assert service.process.poll() is None, service.text
        yield service
        if service.process.poll() is None:
            assert service.stop() == 0, service.text
        service.leaves_nothing()
    except BaseException:
        print(" ".join(service.command), service.text, sep="\n")  # pytest shows it with a failure
        raise
    finally:
        service.kill()
        shutil.rmtree(service.shared, ignore_errors=True)


def control(*arguments):
    """headrace wait | stop | stat."""
    return subprocess.run([HEADRACE, *map(str, arguments)], capture_output=True, text=True)
