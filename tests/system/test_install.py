"""`cmake --install` into a folder: the program, the library for C by pkg-config and CMake, the package for Python."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

BUILD = Path(os.environ["HEADRACE_BUILD"])
HELLO = """
#include <headrace/headrace.h>
#include <stdio.h>
int main(void) { printf("%s %s\\n", hr_version(), HR_VERSION); return 0; }
"""
LISTS = """
cmake_minimum_required(VERSION 3.25)
project(hello C)
find_package(headrace REQUIRED)
add_executable(hello hello.c)
target_link_libraries(hello PRIVATE headrace::headrace)
"""


def run(*command, **variables):
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install")
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


def one(prefix, name):
    found, = prefix.rglob(name)
    return found


@pytest.fixture(scope="module")
def version(prefix):
    return run(prefix / "bin" / "headrace", "--version").split()[1]


@pytest.fixture
def source(tmp_path):
    (tmp_path / "hello.c").write_text(HELLO)
    (tmp_path / "CMakeLists.txt").write_text(LISTS)
    return tmp_path


@pytest.mark.skipif(not shutil.which("pkg-config"), reason="no pkg-config here (tools/bootstrap --tests)")
def test_pkg_config_finds_it_where_it_was_installed(prefix, source, version):
    said = run("pkg-config", "--cflags", "--libs", "headrace", PKG_CONFIG_PATH=str(one(prefix, "headrace.pc").parent))
    run("cc", source / "hello.c", "-o", source / "hello", *said.split())
    library = one(prefix, "libheadrace.so.1").parent
    assert run(source / "hello", LD_LIBRARY_PATH=str(library)).split() == [version, version]


def test_cmake_finds_it_where_it_was_installed(prefix, source, version):
    run("cmake", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", source / "build")
    assert run(source / "build" / "hello").split() == [version, version]


def test_the_package_needs_no_other_setting(prefix, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(20)
    script = """
import headrace, headrace._local
print(headrace.__file__, headrace._local.find_program())
with headrace.local(files="a.h5", batch=4, progress=False) as stream:
    print(sum(batch.rows for batch in stream))
"""
    package = one(prefix, "__init__.py")
    done = run("env", "-C", tmp_path, "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", sys.executable, "-c", script,
               PYTHONPATH=str(package.parents[1]))
    assert done.split() == [str(package), str(prefix / "bin" / "headrace"), "20"]


@pytest.mark.skipif(not shutil.which("readelf"), reason="no readelf here")
def test_the_program_finds_libraries_outside_the_systems_folders(prefix):
    """HDF5 and MPI of a module's folder are found where they were when it was built, without LD_LIBRARY_PATH."""
    cache = (BUILD / "CMakeCache.txt").read_text()
    libraries = [Path(path) for path in re.findall(r"^(?:HDF5|MPI)_\w+:FILEPATH=(/\S+\.so)$", cache, re.M)]
    compiler = run("c++", "-print-search-dirs")
    system = {Path(folder).resolve() for folder in compiler.split("libraries: =")[1].split(":")}
    folders = {path.parent for path in libraries} - {path.parent for path in libraries if path.parent.resolve() in system}
    if not folders:
        pytest.skip("HDF5 and MPI lie in the system's folders")
    runpath, = re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", run("readelf", "-d", prefix / "bin" / "headrace"))
    assert folders <= {Path(folder) for folder in runpath.split(":")}
