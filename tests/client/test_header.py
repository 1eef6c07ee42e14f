"""What users compile against: headrace.h in C and C++ of every age, its example, and what the library promises by name."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["HEADRACE_BUILD"]).resolve()
SANITIZED = bool(os.environ.get("HEADRACE_SANITIZE"))
HEADER = ROOT / "include/headrace/headrace.h"
LIBRARY = BUILD / "lib/libheadrace.so"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-pedantic-errors", "-Werror", "-Wconversion", "-Wshadow"]
C = [os.environ.get("CC", "cc"), "-x", "c", *STRICT, "-Wstrict-prototypes"]
CXX = [os.environ.get("CXX", "c++"), "-x", "c++", *STRICT]
USE = """
#include <headrace/{header}.h>
int main(void) {{ {use} }}
"""
MADE = "hr_options o = HR_OPTIONS_INIT; hr_info i = HR_INFO_INIT; hr_batch b = HR_BATCH_INIT; hr_stats s = HR_STATS_INIT;\n" \
       "return o.size + i.size + b.size + s.size == 0 || o.local_rank != -1 || o.world_size != 1;"


def run(*command, **more):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **more)


def compiled(command, source, *more):
    done = run(*command, f"-I{ROOT / 'include'}", source, *more)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("compiler", "age"), [(C, "c99"), (C, "c11"), (C, "c17"), (CXX, "c++11"), (CXX, "c++20")],
                         ids=lambda value: value if isinstance(value, str) else value[0])
@pytest.mark.parametrize(("header", "use"), [("headrace", MADE), ("plugin", "return HR_PLUGIN_ABI != 1;")])
def test_headers_compile_in_languages_of_every_age(tmp_path, compiler, age, header, use):
    source = tmp_path / "use.txt"
    source.write_text(USE.format(header=header, use=use))
    compiled([*compiler, f"-std={age}"], source, "-o", tmp_path / "use")
    assert run(tmp_path / "use").returncode == 0


def example():
    lines = HEADER.read_text().splitlines()
    begin = next(i for i, line in enumerate(lines) if line.startswith(" * Example"))
    end = next(i for i, line in enumerate(lines) if i > begin and line.strip() == "*/")
    return "\n".join(line[7:] for line in lines[begin + 2:end]) + "\n"


@pytest.mark.skipif(SANITIZED, reason="the example is linked without the sanitizer that the library has")
@pytest.mark.parametrize(("compiler", "age"), [(C, "c99"), (CXX, "c++11")], ids=["c99", "c++11"])
def test_the_example_in_the_header_runs(tmp_path, compiler, age):
    source, program, name = tmp_path / "example.txt", tmp_path / "example", f"example-{os.getpid()}"
    source.write_text(example())
    compiled([*compiler, f"-std={age}"], source, "-o", program, f"-L{LIBRARY.parent}", "-lheadrace", f"-Wl,-rpath,{LIBRARY.parent}")
    failed = run(program, "no such name")
    assert failed.returncode == 8 and failed.stderr.startswith("example: 'no such name' cannot name a service")
    stager = subprocess.Popen([BUILD / "bin/fake_stager", "--name", name, "--steps", "5", "--once", "--log"],
                              stdout=subprocess.PIPE, text=True)
    try:
        assert stager.stdout.readline() == f"ready {name}\n"
        done = run(program, name)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert [line.split(";")[0].split(", the")[0] for line in lines] == [f"step {i}: 10 rows" for i in range(5)]
        assert all("; x at 0x" in line for line in lines)
        told, _ = stager.communicate()
        assert told.splitlines()[-1] == "train 0 goodbye" and told.count("released") == 5
    finally:
        stager.kill()
        stager.wait()


def declared():
    return sorted(re.findall(r"^HR_API [^;(]*?\b(hr_\w+)\(", HEADER.read_text(), re.M))


@pytest.mark.skipif(not shutil.which("nm"), reason="no nm here")
def test_the_library_shows_what_the_header_declares_by_version():
    done = run("nm", "-D", "--defined-only", "--with-symbol-versions", LIBRARY)
    assert done.returncode == 0, done.stderr
    shown = [line.split()[-1] for line in done.stdout.splitlines()]
    versions = {name for name in shown if name.split("@")[0].startswith("HEADRACE_")}
    assert {version.split("@@")[0] for version in versions} == {"HEADRACE_1", "HEADRACE_1.1"}, versions
    functions = sorted(name for name in shown if name not in versions)
    if SANITIZED:
        functions = [name for name in functions if name.startswith("hr_")]
    later = {"hr_follow": "HEADRACE_1.1", "hr_put_back": "HEADRACE_1.1"}
    assert functions == [f"{name}@@{later.get(name, 'HEADRACE_1')}" for name in declared()]
    assert len(functions) > 9


@pytest.mark.skipif(not shutil.which("readelf"), reason="no readelf here")
def test_programs_are_bound_to_the_interface_not_to_the_release():
    soname, = re.findall(r"\(SONAME\).*\[(.*)\]", run("readelf", "-d", LIBRARY).stdout)
    assert soname == "libheadrace.so.1"
    assert (LIBRARY.parent / soname).resolve() == LIBRARY.resolve()


def test_every_call_is_documented():
    """What it does, whether it waits, and which codes come back."""
    text = HEADER.read_text()
    for name in declared():
        before = text[: text.index(next(re.finditer(rf"^HR_API [^;(]*?\b{name}\(", text, re.M)).group())]
        comment = before[before.rindex("/*"):]
        assert comment.rstrip().endswith("*/"), f"{name} has no comment of its own"
        if name not in {"hr_version"}:
            assert re.search(r"\b[Ww]aits?\b|\bwaited\b", comment), f"{name}: whether it waits"
        if f"int {name}(" in text:
            assert "HR_INVALID" in comment or "as hr_seek" in comment, f"{name}: its codes"
