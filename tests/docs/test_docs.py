"""The documents: they build without a warning, what they link to and name is there, and they say of keys what the program says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import PAGES, ROOT, all_blocks, anchors, blocks, links, prose

BUILD = Path(os.environ.get("HEADRACE_BUILD", ROOT / "build/release")).resolve()
HEADRACE = BUILD / "bin" / "headrace"
NAMES_OF_PLACES = re.compile(r"`((?:src|tests|tools|jobs|docs|include|cmake|\.ci)/[\w./*-]*)`")


def called(page):
    return str(page.relative_to(ROOT))


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)


def facts():
    return json.loads(run(HEADRACE, "help", "--json").stdout)


# -- what the program says of itself -------------------------------------------------------------------------------------


def test_keys_and_flags_stand_as_the_program_says():
    done = run(sys.executable, ROOT / "docs/facts.py", HEADRACE, "--check")
    assert done.returncode == 0, done.stderr


def test_every_command_and_flag_has_a_text():
    for command in facts()["commands"]:
        assert command["summary"], command["name"]
        assert all(flag["text"] for flag in command["flags"]), command["name"]


def test_help_of_a_command_is_that_of_the_command():
    assert run(HEADRACE, "help", "serve").stdout == run(HEADRACE, "serve", "--help").stdout
    for wrong, text in (("srve",), "did you mean 'serve'?"), (("serve", "more"), "takes one command"):
        done = run(HEADRACE, "help", *wrong)
        assert done.returncode == 2 and text in done.stderr


def flags_named(text, command):
    """Of `headrace COMMAND ... --flag`, up to the end of the command."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        for part in re.split(r"[|;&]| : |#", line):
            if found := re.search(rf"\bheadrace {command}\b(.*)", part.split(" -- ")[0]):
                yield from re.findall(r"--([a-z][\w.-]*)", found[1])


def test_commands_in_the_documents_have_the_flags_that_are_given():
    document = facts()
    wrong = []
    code = [(page, piece) for page in PAGES
            for piece in [*(block.text for block in blocks(page, ("", "sh", "bash", "text"))), *re.findall(r"`([^`\n]+)`", page.read_text())]
            if "headrace " in piece]
    for command in document["commands"]:
        known = {flag["name"] for flag in command["flags"]} | {"help", "config"}
        sections = {}
        if command["configured"]:
            known |= {key["name"] for key in document["keys"] if key["variable"]}
            for place in ("stream", "field"):
                sections[place] = {key["name"] for key in document["keys"] if place in key["in"]}
        for page, piece in code:
            for flag in flags_named(piece, command["name"]):
                place, _, rest = flag.partition(".")
                if flag not in known and not (place in sections and rest.rpartition(".")[2] in {*sections[place], "KEY"}):
                    wrong.append(f"{called(page)}: headrace {command['name']} has no flag --{flag}")
    assert not wrong


# -- what they link to and name ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_links_lead_somewhere(page):
    wrong = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.exists():
            wrong.append(f"{link}: there is no {file}")
        elif anchor and anchor not in anchors(file):
            wrong.append(f"{link}: it has no such heading (available: {', '.join(sorted(anchors(file)))})")
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_files_that_are_named_exist(page):
    names = [name for name in NAMES_OF_PLACES.findall(page.read_text()) if not re.search(r"\b[A-Z]{4,}/", name)]  # tests/ROOM/
    gone = [name for name in names if not any(ROOT.glob(name.rstrip("/")))]
    assert not gone


def test_messages_that_are_quoted_are_messages():
    sources = "".join(p.read_text() for p in sorted((ROOT / "src").rglob("*")) if p.suffix in {".cpp", ".hpp", ".py"})
    sources = re.sub(r'"\s*f?"', "", sources)  # texts over several lines
    rows = re.findall(r"^\| ([^|]*) \|", (ROOT / "docs/how-to/troubleshooting.md").read_text(), re.M)
    quoted = [text for row in rows for text in re.findall(r'"([^"]+)"', row)]
    assert len(quoted) > 8 and [text for text in quoted if text not in sources] == []


def test_the_floors_show_every_room():
    picture = (ROOT / "docs/contributing/floors.md").read_text().split("```")[1]
    rooms = {p.parent for p in (ROOT / "src").rglob("*.cpp")}
    assert len(rooms) > 15 and [called(room) for room in rooms if not re.search(rf"\b{room.name}/", picture)] == []


def test_every_page_can_be_reached_from_the_readme():
    seen, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        ahead += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if not link.startswith("#")]
    wrappers = {ROOT / "docs/index.md"} | {p for p in PAGES if ROOT / "docs" not in p.parents}
    assert {called(p) for p in PAGES} - {called(p) for p in seen | wrappers} == set()


def test_a_newcomer_finishes_the_readme_in_three_minutes():
    assert len(prose((ROOT / "README.md").read_text()).split()) < 750


# -- the pages -----------------------------------------------------------------------------------------------------------


def test_the_pages_build_without_a_warning():
    pages, trees = BUILD / "docs-test" / "html", BUILD / "docs-test" / "trees"
    done = run(sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", trees, "-b", "html", ROOT / "docs", pages,
               env={**os.environ, "PYTHONPATH": str(BUILD / "python")})
    assert "No module named sphinx" not in done.stderr, "Sphinx is not in this Python; run tools/bootstrap --docs"
    assert done.returncode == 0, done.stderr
    python = (pages / "reference" / "python.html").read_text()
    assert all(f"headrace.{name}" in python for name in ("connect", "Stream.load_state_dict", "Batch.release", "local"))
    assert "hr_acquire" in (pages / "reference" / "c.html").read_text()


# -- code that does not run here, but must be right -----------------------------------------------------------------------


@pytest.mark.parametrize("block", all_blocks("toml"), ids=str)
def test_configurations_are_accepted(block, tmp_path):
    """All that may be wrong is that the files are not there."""
    (tmp_path / "x.toml").write_text(block.text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    environment["TOKEN"] = "secret"
    done = run(HEADRACE, "serve", "-c", tmp_path / "x.toml", env=environment, cwd=tmp_path)
    assert re.match(r"headrace: (no file(s to serve;| matches)|cannot read the inventory) [^\n]*\n\Z", done.stderr), done.stderr


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_python_compiles(block):
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", all_blocks("sh", "bash"), ids=str)
def test_shell_is_shell(block):
    done = run("bash", "-n", "-c", block.text)
    assert done.returncode == 0, done.stderr
