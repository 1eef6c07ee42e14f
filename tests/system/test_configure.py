"""What CMake finds out before anything is built: that HDF5 and MPI belong together, and whether a C++ runtime can be linked in."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = """
include({root}/cmake/HeadraceSameMpi.cmake)
headrace_same_mpi("{hdf5}" "{mpi}" told)
message(STATUS "told: ${{told}}")
"""


def run(*command, **variables):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, env={**os.environ, **variables})


def library(path, source="", name=None, needs=()):
    """A shared library that knows itself as `name`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "source.c").write_text(source)
    done = run("cc", "-shared", "-fPIC", path.parent / "source.c", "-o", path, f"-Wl,-soname,{name or path.name}", "-Wl,--no-as-needed", *needs)
    assert done.returncode == 0, done.stderr
    return path


def same_mpi(folder, hdf5, mpi):
    script = folder / "check.cmake"
    script.write_text(CHECK.format(root=ROOT, hdf5=";".join(map(str, hdf5)), mpi=";".join(map(str, mpi))))
    done = run("cmake", f"-DCMAKE_READELF={shutil.which('readelf') or ''}", "-P", script)
    return done.returncode, " ".join(done.stderr.split()), done.stdout


@pytest.fixture
def openmpi(tmp_path):
    return library(tmp_path / "ompi" / "libmpi.so", "int ompi_mpi_comm_world;", "libmpi.so.40")


@pytest.fixture
def mpich(tmp_path):
    return library(tmp_path / "mpich" / "libmpich.so", "int MPIR_Process;", "libmpich.so.12")


needs_readelf = pytest.mark.skipif(not shutil.which("readelf"), reason="no readelf here")


@needs_readelf
def test_hdf5_of_another_mpi_is_refused(tmp_path, openmpi, mpich):
    """Both ways round, however many libraries there are beside; a mixed pair links, and dies by signal 11."""
    other = library(tmp_path / "z" / "libz.so")
    for mine, its, name in ((openmpi, mpich, "libmpich.so.12"), (mpich, openmpi, "libmpi.so.40")):
        hdf5 = library(tmp_path / name / "libhdf5_parallel.so", needs=[its])
        code, said, _ = same_mpi(tmp_path, [other, hdf5], [mine])
        assert code != 0
        assert f"HDF5 and MPI do not belong together: HDF5 is {hdf5} (it needs {name}, and this MPI is" in said
        assert str(mine) in said and "HDF5_ROOT" in said


@needs_readelf
def test_hdf5_of_this_mpi_is_told(tmp_path, openmpi):
    cxx = library(tmp_path / "cxx" / "libmpi_cxx.so", name="libmpi_cxx.so.40")  # some builds need it, too
    hdf5 = library(tmp_path / "h" / "libhdf5.so", needs=[openmpi, cxx])
    code, said, told = same_mpi(tmp_path, [hdf5], [openmpi])
    assert (code, said) == (0, "")
    assert "told: (built with libmpi.so.40)" in told


def test_static_hdf5_of_another_mpi_is_refused(tmp_path, openmpi, mpich):
    """Nothing in it names a library; what it calls does."""
    of_openmpi, of_mpich = tmp_path / "a" / "libhdf5.a", tmp_path / "b" / "libhdf5.a"
    for file, source in ((of_openmpi, "extern int ompi_mpi_comm_world; int *p = &ompi_mpi_comm_world;"), (of_mpich, "int x;")):
        file.parent.mkdir()
        (file.parent / "s.c").write_text(source)
        assert run("cc", "-c", "-fPIC", file.parent / "s.c", "-o", file.parent / "s.o").returncode == 0
        assert run("ar", "rcs", file, file.parent / "s.o").returncode == 0
    assert same_mpi(tmp_path, [of_openmpi], [openmpi])[:2] == (0, "")
    assert same_mpi(tmp_path, [of_mpich], [mpich])[:2] == (0, "")
    for hdf5, mpi in ((of_openmpi, mpich), (of_mpich, openmpi)):
        code, said, _ = same_mpi(tmp_path, [hdf5], [mpi])
        assert code != 0 and f"HDF5 is {hdf5} (it was built with" in said


def test_compiler_wrappers_that_hide_their_libraries_are_trusted(tmp_path, openmpi):
    assert same_mpi(tmp_path, [], [openmpi])[0] == 0
    assert same_mpi(tmp_path, [library(tmp_path / "h" / "libhdf5.so", needs=[openmpi])], [])[0] == 0


def configure(folder, *more):
    return run("cmake", "-S", ROOT, "-B", folder, "-G", "Unix Makefiles", "-DHEADRACE_SERVICE=OFF", "-DHEADRACE_TESTS=OFF", *more)


def links(folder):
    return (folder / "src" / "client" / "CMakeFiles" / "headrace_client.dir" / "link.txt").read_text()


def test_a_compiler_without_a_static_runtime(tmp_path):
    """As on RHEL, where it is a package of its own."""
    done = configure(tmp_path / "with")
    assert done.returncode == 0, done.stdout + done.stderr
    if "there is no libstdc++.a" not in done.stdout:
        assert "-static-libstdc++" in links(tmp_path / "with")
    without = tmp_path / "c++"
    without.write_text(f"""#!/bin/sh
case " $* " in *' -static-libstdc++ '*) echo 'ld: cannot find -lstdc++: No such file or directory' >&2; exit 1 ;; esac
exec {shutil.which('c++')} "$@"
""")
    without.chmod(0o755)
    done = configure(tmp_path / "without", f"-DCMAKE_CXX_COMPILER={without}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "there is no libstdc++.a to link into it (Fedora, RHEL: package libstdc++-static)" in done.stdout
    assert "-static-libstdc++" not in links(tmp_path / "without")
    assert "-version-script" in links(tmp_path / "without")
