"""The hands that run the tests: skips are told as such, and a test stands alone where the machine allows it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
REASON = "no thing here (tools/bootstrap --thing)"
FILES = {
    "whole file": f'import pytest\npytestmark = pytest.mark.skipif(True, reason="{REASON}")\ndef test_x(): assert False\n',
    "module": f'import pytest\npytest.importorskip("no_such_module", reason="{REASON}")\n',
    "fixture": f'import pytest\n@pytest.fixture\ndef thing(): pytest.skip("{REASON}")\ndef test_x(thing): assert False\n',
    "one of two": f'import pytest\ndef test_x(): pytest.skip("{REASON}")\ndef test_y(): pass\n',
    "one fails": f'import pytest\ndef test_x(): pytest.skip("{REASON}")\ndef test_y(): assert False\n',
    "none": "def test_y(): pass\n",
    "expected to fail": "import pytest\n@pytest.mark.xfail\ndef test_y(): assert False\n",
}


@pytest.mark.parametrize("name, code, told", [("whole file", 77, True), ("module", 77, True), ("fixture", 77, True), ("one of two", 0, True),
                                              ("one fails", 1, True), ("none", 0, False), ("expected to fail", 0, False)])
def test_what_is_skipped_is_told(tmp_path, name, code, told):
    shutil.copy(TESTS / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(FILES[name])
    skips = tmp_path / "skips" / "it"
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"], cwd=tmp_path,
                          env={**os.environ, "HEADRACE_SKIPS": str(skips)}, capture_output=True, text=True)
    assert done.returncode == code, done.stdout
    assert (REASON in skips.read_text()) == told


@pytest.mark.parametrize("reason, options, code", [
    (REASON, [], 0), (REASON, ["--strict"], 1), (REASON, ["--strict", "--thing"], 0), (REASON, ["--strict", "--other"], 1),
    ("only root can become another user", ["--strict"], 0),
])
def test_a_skip_that_could_have_run_is_a_failure(tmp_path, reason, options, code):
    (tmp_path / "some_test").write_text(f"test_it.py::test_x: {reason}\n" * 5)
    done = subprocess.run([TESTS / "skips", tmp_path, *options], capture_output=True, text=True)
    assert done.returncode == code
    assert f"some_test: {reason} (test_x, test_x, test_x and 2 more)" in done.stdout
    assert ("could have run some_test;" in done.stderr) == (code == 1)


needs_namespaces = pytest.mark.skipif(subprocess.run([TESTS / "alone", "--probe"], capture_output=True).returncode != 0,
                                      reason="no namespaces here")


@needs_namespaces
def test_alone_sees_and_leaves_nothing(tmp_path):
    script = "ls -A /dev/shm; cat /proc/net/unix | tail -n +2; touch /dev/shm/mine $TMPDIR/mine; sleep 600 & echo $TMPDIR; exit $1"
    for code in (0, 77, 3):
        done = subprocess.run([TESTS / "alone", "bash", "-c", script, "it", str(code)], capture_output=True, text=True,
                              env={**os.environ, "TMPDIR": str(tmp_path)})
        assert done.returncode == code
        (folder,) = done.stdout.split()
        assert Path(folder).exists() == (code == 3)  # for who looks why it failed


def test_what_has_no_end_says_where_it_is():
    sys.path.insert(0, str(TESTS / "system"))
    from stacks import finished

    done = finished(["sh", "-c", "echo out; echo err >&2; exit 3"], 60)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    with pytest.raises(AssertionError, match=r"no end within 1 s(?s:.*)sleep 600 \n +\d+ sleep: ."):
        finished(["sleep", "600"], 1)
