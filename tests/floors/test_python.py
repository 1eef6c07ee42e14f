"""The Python package's own floors: modules know those below them, never in a circle, not for types either."""

import ast
import pathlib

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "src/client/python/headrace"
MODULES = {path.stem: path for path in PACKAGE.glob("*.py")}


def imports(path):
    """Names of modules of ours that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield from [node.module] if node.module else [alias.name for alias in node.names]


def test_no_circle():
    knows = {name: {each for each in imports(path) if each in MODULES} for name, path in MODULES.items()}
    assert len(knows) > 10 and knows["stream"] >= {"_connection", "batch"}
    left = dict(knows)
    while left:
        lowest = {name for name, others in left.items() if not others & left.keys()}
        assert lowest, f"a circle among {sorted(left)}"
        left = {name: others for name, others in left.items() if name not in lowest}


def test_files_stay_small():
    long = {name: lines for name, path in MODULES.items() if (lines := len(path.read_text().splitlines())) > 400}
    assert not long
