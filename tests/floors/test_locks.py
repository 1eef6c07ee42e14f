"""Locks say what they guard: no bare std::mutex, and clang finds nothing (tools/check_locks)."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HEADRACE_BUILD", ROOT / "build/release")).resolve()
CHECK = ROOT / "tools/check_locks"
# Rooms that still have locks of which clang knows nothing. None may be added.
UNSEEN = {"log"}
BARE = re.compile(r"\bstd::((recursive_|timed_|shared_)*mutex|lock_guard|unique_lock|scoped_lock|shared_lock|condition_variable)\b")


def room_of(path):
    return path.parent.as_posix()


def bare_locks():
    for path in sorted((ROOT / "src").rglob("*.[hc]pp")):
        inside = path.relative_to(ROOT / "src")
        code = re.sub(r"//.*", "", path.read_text())
        if inside.as_posix() != "base/mutex.hpp" and BARE.search(code):
            yield inside


def test_no_lock_hides_from_the_check():
    assert [str(path) for path in bare_locks() if room_of(path) not in UNSEEN] == []


def test_the_list_of_rooms_still_unseen_is_true():
    assert {room_of(path) for path in bare_locks()} == UNSEEN


needs_clang = pytest.mark.skipif(not shutil.which("clang++"), reason="no clang++ here (tools/bootstrap --clang)")
needs_build = pytest.mark.skipif(not (BUILD / "compile_commands.json").exists(), reason=f"no build in {BUILD}")


@needs_clang
@needs_build
def test_what_a_lock_guards_is_touched_with_the_lock_held_only():
    done = subprocess.run([sys.executable, str(CHECK), str(BUILD)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


FORGOTTEN = """
#include "base/mutex.hpp"
struct Counter {
  headrace::Mutex mutex;
  int count GUARDED_BY(mutex) = 0;
  int read() { return count; }
  int right() { const headrace::Lock lock(mutex); return count; }
};
int main() { return Counter().read() + Counter().right(); }
"""


@needs_clang
def test_a_forgotten_lock_is_found(tmp_path):
    """In a tree that looks like ours: the check itself is checked."""
    shutil.copytree(ROOT / "src/base", tmp_path / "src/base")
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=lambda *_: [])
    source, build = tmp_path / "src/counter.cpp", tmp_path / "build"
    source.write_text(FORGOTTEN)
    build.mkdir()
    (build / "compile_commands.json").write_text(
        '[{"directory": "%s", "file": "%s", "command": "c++ -std=c++20 -I%s -c %s"}]'
        % (build, source, tmp_path / "src", source))
    done = subprocess.run([sys.executable, str(tmp_path / "tools/check_locks"), str(build)], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "reading variable 'count' requires holding mutex 'mutex'" in done.stdout
    assert done.stdout.count("requires holding") == 1
