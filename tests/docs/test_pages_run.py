"""Pages whose code can run are run, from top to bottom, as a reader would.

    <!-- file: NAME -->       the block after it is what that file holds
    <!-- run -->              the block after it is a command line (or Python) to run
    <!-- says: TEXT -->       before such a block, too: what its output must contain
    <!-- prepare ... -->      command lines that a reader has already run; they come first
    <!-- files of: PAGE -->   files of another page that a reader has already written
"""

import os
import re
import signal
import subprocess
import sys
import uuid

import pytest
from documents import PAGES, ROOT, blocks
from test_docs import BUILD, called


def files_of(page):
    return {name: block.text for block in blocks(page) for name in block.marks.get("file", [])}


def prepared(text):
    return re.findall(r"^<!-- prepare\n(.*?)^-->", text, re.S | re.M)


def commands(page):
    return [block for block in blocks(page) if "run" in block.marks]


def test_there_are_pages_to_run():
    assert len([page for page in PAGES if commands(page)]) >= 6


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=called)
def test_page(page, tmp_path):
    text = page.read_text()
    for name in ("jobs", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "build").mkdir()
    (tmp_path / "build/release").symlink_to(BUILD)
    (tmp_path / "build/venv").symlink_to(sys.prefix)
    mine = f"docs-{uuid.uuid4().hex[:8]}"  # in place of the service's name, which somebody else may use on this machine

    def own(code):
        return re.sub(r"\blcd\b(?!\.\w)", mine, code)

    files = {}
    for other in re.findall(r"<!-- files of: (.*?) -->", text):
        files |= files_of(page.parent / other)
    for name, code in (files | files_of(page)).items():
        (tmp_path / name).write_text(own(code))
    script, expected = prepared(text), []
    for block in commands(page):
        script.append(own(f"python - <<'END'\n{block.text}END\n" if block.language == "python" else block.text))
        expected += block.marks.get("says", [])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    environment |= {"PATH": f"{BUILD}/bin:{sys.prefix}/bin:{os.environ['PATH']}", "PYTHONPATH": str(BUILD / "python")}
    process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", "\n".join(script)], cwd=tmp_path, env=environment, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output = process.communicate(timeout=120)[0]
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)  # what a failing page has left in the background
        except ProcessLookupError:
            pass
    assert process.returncode == 0, output
    assert [text for text in expected if own(text) not in output] == [], output
