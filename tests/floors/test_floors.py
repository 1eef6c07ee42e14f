"""The floors of the house, kept apart from the build files so that both must agree."""

import collections
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HEADRACE_BUILD", ROOT / "build/release")).resolve()

# Each room and what it may include: a folder of src, those within it being rooms of their own. Arrows point down; commands
# over the service over the data over the job over the configuration.
ROOMS = {
    "base": "",
    "log": "base",
    "ipc": "base",
    "mpi": "base",
    "h5/codecs": "base",
    "h5": "base mpi h5/codecs",
    "h5/chunks": "base h5",
    "h5/made": "base h5/codecs h5",
    "plan": "base",
    "plan/figures": "base plan",
    "ring": "base ipc",
    "client": "base ipc ring",
    "transform/numbers": "base",
    "transform": "base transform/numbers",
    "store": "base ipc",
    "catalog": "base ipc mpi h5",
    "fetch": "base",
    "inventory/decoders": "base h5",
    "inventory": "base ipc mpi h5 catalog fetch inventory/decoders",
    "reader": "base mpi h5/codecs h5 h5/chunks catalog",
    "exchange": "base log mpi",
    "formats": "base ipc h5/codecs h5/made transform/numbers",
    "condition": "base",
    "config": "base plan transform/numbers transform condition",
    "job": "base log ipc mpi config",
    "data/columns": "base h5 transform catalog config",
    "data/selection": "base mpi plan plan/figures transform catalog inventory reader condition config job data/columns",
    "data/fields": "base mpi transform/numbers transform catalog reader config data/columns data/selection",
    "service/blueprint": "base mpi plan plan/figures ring store catalog exchange config job data/selection data/fields",
    "service/loading": "base log mpi plan transform store reader job data/columns data/selection data/fields "
                       "service/blueprint",
    "service/books": "base plan exchange config data/selection service/blueprint",
    "service/delivery": "base log ipc plan ring store catalog exchange config job service/blueprint service/books",
    "service/host": "base log ipc mpi ring config job service/blueprint service/books service/delivery",
    "service": "base log mpi h5 store reader exchange config job data/selection data/fields service/blueprint "
               "service/loading service/delivery service/host",
    "commands": "base ipc mpi ring config job data/fields service/books service",
    "commands/inspect": "base mpi h5/codecs h5 catalog reader condition config data/columns data/selection data/fields "
                        "service/blueprint service/loading commands",
    "commands/stats": "base log ipc mpi plan transform reader config job data/selection data/fields service/loading "
                      "commands",
    "commands/bench": "base log ipc mpi plan store reader config job service/loading service commands",
    "commands/writing": "base log ipc fetch mpi plan h5/codecs h5/made catalog formats config job service/blueprint service/loading service/delivery "
                        "service/host service",
    "commands/premix": "base log ipc mpi h5/codecs h5/made transform catalog formats config job data/fields service/blueprint "
                       "service commands commands/writing",
    "commands/export": "base log ipc mpi h5/codecs catalog formats config job service/blueprint service commands commands/writing",
    "commands/pack": "base log ipc mpi catalog fetch inventory reader store formats config job data/selection data/fields "
                     "service/blueprint service/loading service/host commands commands/writing",
    "commands/forecast": "base mpi plan plan/figures reader exchange config data/selection data/fields service/blueprint commands",
}
MOST_FILES = 40    # sources of a folder
MOST_SHARE = 0.15  # of all lines in one room
# What is still to be mended. Nothing may be added, and what is mended goes.
STILL_LARGE: set[str] = set()
STILL_CIRCLES: set[frozenset[str]] = set()
ONLY_IN = {  # a library's header and the rooms that may see it
    r"mpi\.h": {"mpi", "h5"},
    r"hdf5\w*\.h|H5\w*\.h": {"h5", "h5/chunks", "h5/codecs", "h5/made"},
    r"(lzf|lz4|zstd|blosc|bzlib|szlib)\.h": {"h5/codecs"},
    r"toml\+\+/.*|boost/program_options.*": {"config"},
    r"curl/.*": {"fetch"},
    r"openssl/.*": {"inventory/decoders"},
    r"yaml-cpp/.*": {"data/fields"},
    r"spdlog/.*": {"log"},
    r"sys/mman\.h|sys/socket\.h|sys/un\.h|linux/futex\.h": {"ipc"},
}
ATOMIC_ROOMS = {"base", "ipc", "ring", "client", "exchange", "reader", "store", "job", "service/loading", "commands/bench",
                "service", "service/delivery", "service/host", "commands", "commands/writing", "commands/pack"}  # that share memory or threads
LINES_AT_MOST = 400

SOURCES = sorted(p for p in (ROOT / "src").rglob("*") if p.suffix in {".hpp", ".cpp", ".h", ".c"})
HEADERS = [p for p in SOURCES if p.suffix in {".hpp", ".h"}]


def room_of(path):
    return path.relative_to(ROOT / "src").parent.as_posix()


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
        wrong += [f"{name(path)} includes {i}" for i in includes(path) if pathlib.PurePath(i).parent.as_posix() in ROOMS
                  and pathlib.PurePath(i).parent.as_posix() not in allowed]
    assert not wrong


def test_rooms_name_only_rooms_below():
    known = set()
    for room, uses in ROOMS.items():
        assert set(uses.split()) <= known, room
        known.add(room)


def circles(graph):
    """Groups of nodes that lead to each other (Tarjan)."""
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for to in graph.get(node, ()):
            if to not in number:
                visit(to)
            if to in stack:
                low[node] = min(low[node], low[to])
        if low[node] == number[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in graph:
        if node not in number:
            visit(node)
    return found


def test_no_circles_of_files():
    """A header and its .cpp are one: what one of them includes, both know."""
    graph = {}
    units = {str(p.relative_to(ROOT / "src").with_suffix("")) for p in SOURCES}
    for path in SOURCES:
        unit = str(path.relative_to(ROOT / "src").with_suffix(""))
        graph.setdefault(unit, set()).update(
            {str(pathlib.PurePath(i).with_suffix("")) for i in includes(path)} & units - {unit})
    assert {frozenset(circle) for circle in circles(graph)} == STILL_CIRCLES
    assert circles({"a": {"b"}, "b": {"a"}, "c": {"a"}}) == [["a", "b"]]


def test_rooms_stay_small():
    files, lines = collections.Counter(), collections.Counter()
    for path in SOURCES:
        files[room_of(path)] += 1
        lines[room_of(path)] += len(path.read_text().splitlines())
    assert {r for r, n in files.items() if n > MOST_FILES} == STILL_LARGE
    assert {r: n for r, n in lines.items() if n > MOST_SHARE * lines.total()} == {}


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
        names = [pathlib.Path(word).name for word in words]
        if "ccache" in names:  # and what is set for it
            words = words[names.index("ccache") + 1:]
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


def begins_its_source(header):
    """The build compiles such headers alone: nothing stands before them."""
    source = header.with_suffix(".cpp")
    return source.exists() and includes(source)[:1] == [str(header.relative_to(ROOT / "src"))]


@pytest.mark.skipif(not (BUILD / "compile_commands.json").exists(), reason=f"no build in {BUILD}")
def test_every_header_compiles_alone():
    # A folder that stays: ccache then knows the units again.
    folder = BUILD / "floors"
    folder.mkdir(exist_ok=True)
    flags = compile_flags()
    by_room = {r: flags.get(r, flags["service"]) for r in ROOMS}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda p: compile_alone(p, folder, by_room[room_of(p)]),
                           [h for h in HEADERS if not begins_its_source(h)])
        wrong = [r for r in results if r]
    assert not wrong, "\n".join(wrong)
