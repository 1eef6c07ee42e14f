"""The documents as text: their files, headings, links, code."""

import pathlib
import re
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")])
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w{}-]*)(?P<rest>[^\n]*)\n(?P<text>.*?)^(?P=indent)```", re.S | re.M)


class Block(NamedTuple):
    """A fenced block, and what comments right before it say of it: {"file": "lcd.toml"}, {"run": ""}."""

    page: pathlib.Path
    line: int
    language: str
    text: str
    marks: dict

    def __str__(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def prose(text):
    """Without code blocks and code in the line."""
    return re.sub(r"(`+)[^`].*?\1", "", FENCE.sub("", text), flags=re.S)


def marks_before(text):
    """The comments that a text ends with, without blank lines after them."""
    found = re.search(r"(?:<!-- [^>]* -->\n)*\Z", text)[0]
    marks = {}
    for word, rest in re.findall(r"<!-- (\w+)(?:: (.*?))? -->", found):
        marks.setdefault(word, []).append(rest)
    return marks


def blocks(page, languages=None):
    text = page.read_text()
    for fence in FENCE.finditer(text):
        if languages and fence["language"] not in languages:
            continue
        code = re.sub(rf"^{fence['indent']}", "", fence["text"], flags=re.M)
        yield Block(page, text.count("\n", 0, fence.start()) + 1, fence["language"], code, marks_before(text[: fence.start()]))


def all_blocks(*languages):
    return [block for page in PAGES for block in blocks(page, languages)]


def included(page):
    """The page with what it includes in its place."""

    def other(fence):
        return included((page.parent / fence["rest"].strip()).resolve()) if fence["language"] == "{include}" else fence[0]

    return FENCE.sub(other, page.read_text())


def anchors(page):
    """As GitHub names headings, and MyST after it."""
    found = set()
    for title in re.findall(r"^#+ +(.*?)\s*$", FENCE.sub("", included(page)), re.M):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        name = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        number = 0
        while (unique := name if number == 0 else f"{name}-{number}") in found:
            number += 1
        found.add(unique)
    return found


def links(page):
    """Targets of links to files of the tree, as they stand there."""
    return [t for t in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text())) if not re.match(r"\w+:", t)]
