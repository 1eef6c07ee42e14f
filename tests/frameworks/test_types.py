"""mypy --strict over the package and a user's script, ruff over the trainers' side; imports that cost nothing."""

import subprocess
import sys
from pathlib import Path

import headrace
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "client" / "python" / "headrace"


def run(module, *arguments, cwd=ROOT):
    pytest.importorskip(module, reason=f"{module} is not installed (tools/bootstrap --frameworks)")
    done = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_package(tmp_path):
    run("mypy", "--config-file=pyproject.toml", f"--cache-dir={tmp_path}", PACKAGE)


def test_a_script_of_a_user(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import headrace\n"
        "import headrace.torch\n"
        'with headrace.connect("lcd", stream="train") as stream:\n'
        "    for batch in stream:\n"
        '        reveal_type(batch["x"])\n'
        "        reveal_type(stream.map(lambda batch: batch.rows))\n"
        "    reveal_type(stream.peek())\n"
        "    reveal_type(stream.state_dict())\n"
        '    reveal_type(headrace.torch.Loader(stream, ("x", headrace.INDEX)))\n'
        "    bad: str = stream.samples\n"
    )
    config = ROOT / "pyproject.toml"
    pytest.importorskip("mypy", reason="mypy is not installed (tools/bootstrap --frameworks)")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", f"--config-file={config}", f"--cache-dir={tmp_path}", str(script)],
        env={"MYPYPATH": str(PACKAGE.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout
    for words in ("ndarray[Any, Any]", "Mapped[int]", "Copied", "dict[str, Any]", "headrace.torch.Loader"):
        assert words in told, told
    assert "Found 1 error" in told and "script.py:10: error: Incompatible types in assignment" in told, told


def test_ruff():
    folders = [PACKAGE, ROOT / "tests" / "python", ROOT / "tests" / "frameworks", ROOT / "jobs" / "examples"]
    run("ruff", "check", *[folder for folder in folders if folder.exists()])
    run("ruff", "format", "--check", PACKAGE, ROOT / "tests" / "frameworks")


def test_nothing_of_a_framework_is_imported_unasked():
    code = """
        import sys, headrace
        loaded = {"torch", "keras", "tensorflow", "jax"} & set(sys.modules)
        assert not loaded, loaded
        headrace.torch.Loader
        loaded = {"keras", "tensorflow", "jax"} & set(sys.modules)
        assert not loaded, loaded
    """
    pytest.importorskip("torch", reason="PyTorch is not installed (tools/bootstrap --frameworks)")
    import textwrap

    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize("face", ["torch", "keras", "tensorflow", "jax"])
def test_a_missing_framework_is_told(face):
    code = f"""
import sys
sys.modules["{face}"] = None
import headrace
try:
    headrace.{face}
except ImportError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert f"headrace.{face} needs" in told and f"pip install 'headrace[{face}]'" in told
    assert face in headrace._FACES
