"""The floors of the house, kept apart from the build files so that both must agree."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import json
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HEADRACE_BUILD", ROOT / "build/release")).resolve()

# Each room and what it may include. Arrows point down; siblings do not know each other, but for h5 -> mpi.
ROOMS = {
    "base": "",
    "log": "base",
    "ipc": "base",
    "mpi": "base",
    "h5": "base mpi",
    "plan": "base",
    "ring": "base ipc",
    "client": "base ipc ring",
    "transform": "base",
    "store": "base ipc plan",
    "reader": "base log mpi h5 plan",
    "exchange": "base log mpi plan",
    "service": "base log ipc mpi h5 plan ring transform store reader exchange",
}
ONLY_IN = {  # a library's header and the rooms that may see it
    r"mpi\.h": {"mpi", "h5"},
    r"hdf5\w*\.h|H5\w*\.h": {"h5"},
    r"(lzf|lz4|zstd|blosc|bzlib|szlib)\.h": {"h5"},
    r"toml\+\+/.*|boost/program_options.*": {"service"},
    r"spdlog/.*": {"log"},
    r"sys/mman\.h|sys/socket\.h|sys/un\.h|linux/futex\.h": {"ipc"},
}
ATOMIC_ROOMS = {"base", "ipc", "ring", "client", "exchange", "reader", "store", "service"}  # that share memory or threads
LINES_AT_MOST = 400

SOURCES = sorted(p for p in (ROOT / "src").rglob("*") if p.suffix in {".hpp", ".cpp", ".h", ".c"})
HEADERS = [p for p in SOURCES if p.suffix in {".hpp", ".h"}]


def room_of(path):
    return path.relative_to(ROOT / "src").parts[0]


def includes(path):
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.M)


def name(path):
    return str(path.relative_to(ROOT))


def test_there_is_something_to_check():
    assert {room_of(p) for p in SOURCES} <= set(ROOMS)
    assert len(SOURCES) > 20


def test_includes_point_down():
    wrong = []
    for path in SOURCES:
        room = room_of(path)
        allowed = {room, *ROOMS[room].split()}
        wrong += [f"{name(path)} includes {i}" for i in includes(path) if i.split("/")[0] in ROOMS and "/" in i
                  and i.split("/")[0] not in allowed]
    assert not wrong


def test_libraries_stay_in_their_rooms():
    wrong = []
    for path in SOURCES:
        for pattern, rooms in ONLY_IN.items():
            wrong += [f"{name(path)} includes {i}" for i in includes(path)
                      if re.fullmatch(pattern, i) and room_of(path) not in rooms]
    assert not wrong


def test_atomics_stay_where_memory_is_shared():
    wrong = [name(p) for p in SOURCES if "std::atomic" in p.read_text() and room_of(p) not in ATOMIC_ROOMS]
    assert not wrong


def test_files_stay_small():
    long = {name(p): n for p in SOURCES if (n := len(p.read_text().splitlines())) > LINES_AT_MOST}
    assert not long


def test_headers_open_with_what_they_are_for():
    wrong = [name(p) for p in HEADERS if p.suffix == ".hpp" and not
             (p.read_text().startswith("//") and "#pragma once" in p.read_text())]
    assert not wrong


def test_plan_is_pure():
    """Plan decides and moves nothing: no MPI, HDF5, files, sockets, clocks or threads."""
    impure = {"fstream", "iostream", "filesystem", "thread", "mutex", "chrono", "unistd.h", "fcntl.h"}
    wrong = [f"{name(p)} includes {i}" for p in SOURCES if room_of(p) == "plan" for i in includes(p) if i in impure]
    assert not wrong


def compile_flags():
    """Per room the compiler call of one of its sources, without source and output."""
    calls = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if ROOT / "src" not in path.parents or path.suffix != ".cpp":
            continue
        words = entry.get("arguments") or shlex.split(entry["command"])
        if pathlib.Path(words[0]).name == "ccache":
            words = words[1:]
        kept, skip = [], False
        for word in words:
            if skip or word in {"-c", "-MD", str(path)}:
                skip = False
            elif word in {"-o", "-MT", "-MF"}:
                skip = True
            else:
                kept.append(word)
        calls.setdefault(room_of(path), kept)
    return calls


def compile_alone(path, folder, flags):
    unit = folder / (name(path).replace("/", "_") + ".cpp")
    unit.write_text(f'#include "{path.relative_to(ROOT / "src")}"\n')
    if shutil.which("ccache"):  # it knows compilations again, but not syntax checks
        call = ["ccache", *flags, "-O0", "-c", str(unit), "-o", str(unit.with_suffix(".o"))]
    else:
        call = [*flags, "-O0", "-fsyntax-only", str(unit)]
    run = subprocess.run(call, cwd=folder, capture_output=True, text=True)
    return None if run.returncode == 0 else f"{name(path)}:\n{run.stderr[:2000]}"


@pytest.mark.skipif(not (BUILD / "compile_commands.json").exists(), reason=f"no build in {BUILD}")
def test_every_header_compiles_alone():
    # A folder that stays: ccache then knows the units again.
    folder = BUILD / "floors"
    folder.mkdir(exist_ok=True)
    flags = compile_flags()
    by_room = {r: flags.get(r, flags["service"]) for r in ROOMS}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda p: compile_alone(p, folder, by_room[room_of(p)]), HEADERS)
        wrong = [r for r in results if r]
    assert not wrong, "\n".join(wrong)
