#!/usr/bin/env python3
"""Writes what the program knows of its keys and commands into the pages of docs/: between <!-- keys: ... --> (or key,
command) and <!-- end --> stands what `headrace help --json` says, and nobody writes there by hand.

    docs/facts.py HEADRACE            rewrites the pages; exit code 1 where a key or command has no place in any page
    docs/facts.py HEADRACE --check    only tells what differs; exit code 1 if anything does
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

DOCS = pathlib.Path(__file__).resolve().parent
BLOCK = re.compile(r"(?P<mark><!-- (?P<what>keys|key|command): (?P<of>[^>]*?) -->\n)(?P<text>.*?)(?P<end><!-- end -->)", re.S)
SECTIONS = {"top": "", "stream": "stream.NAME.", "field": "field.NAME.", "class": "class.NAME."}


def as_sentence(text):
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def code(text):
    return f"`{text}`" if re.fullmatch(r"[\w.]+", text) else text


def spelled(name, letter, value):
    short = f"-{letter}, " if letter else ""
    return f"`{short}--{name}{' ' + value if value else ''}`"


def place_of(key):
    """Where its section stands: keys of streams count as such, though they may stand at the top level, too."""
    return key["in"][-1]


def key_lines(key):
    """The text and the facts of one key."""
    facts = [spelled(SECTIONS[place] + key["name"], key["letter"], key["value"]) for place in key["in"]]
    if key["variable"]:
        facts.append(f"`{key['variable']}`")
    facts.append(key["kind"])
    if key["path"]:
        facts.append("in a file relative to its folder")
    if key["default"]:
        facts.append(f"default: {code(key['default'])}")
    return f"{as_sentence(cell(key['text']))}\\\n*{' · '.join(facts)}*\n"


def key_table(keys):
    rows = [f"| [`{k['name']}`](#{k['name'].replace('.', '')}) | {code(cell(k['default']))} | {cell(k['text'])} |" for k in keys]
    return "\n".join(["| key | default | |", "|---|---|---|", *rows]) + "\n"


def command_lines(command):
    flags = [f"| {spelled(cell(f['name']), f['letter'], cell(f['value']))} | {cell(f['default'])} | {cell(f['text'])} |"
             for f in command["flags"]]
    table = ["| flag | default | |", "|---|---|---|", *flags]
    parts = [command["summary"], f"```text\nheadrace {command['name']} {command['usage']}\n```"]
    if flags:
        parts.append("\n".join(table))
    if command["configured"]:
        parts.append("Takes `-c, --config FILE` and every key as a flag: [of the service](service.md), "
                     "[of streams](streams.md), [of fields](fields.md).")
    return "\n\n".join(parts) + "\n"


class Facts:
    def __init__(self, document):
        self.keys = {(place_of(k), k["name"]): k for k in document["keys"]}
        self.commands = {c["name"]: c for c in document["commands"]}
        self.told = set()  # of self.keys and self.commands

    def text(self, what, of, page):
        """What stands in a block."""
        if what == "command":
            self.told.add(of)
            return command_lines(self.commands[of])
        if what == "key":
            place, name = of.split()
            self.told.add((place, name))
            return key_lines(self.keys[place, name])
        place, *groups = of.split()
        return key_table([k for k in self.keys.values() if place_of(k) == place and (not groups or k["group"] in groups)])

    def untold(self):
        return sorted(str(one) for one in {*self.keys, *self.commands} - self.told)


def facts_of(headrace):
    return Facts(json.loads(subprocess.run([headrace, "help", "--json"], check=True, capture_output=True, text=True).stdout))


def pages_with(facts):
    """(page, its text as it should be); the blocks of unknown keys and commands are told as KeyError."""
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text()

        def fresh(block, page=page):
            try:
                return block["mark"] + facts.text(block["what"], block["of"], page) + block["end"]
            except KeyError as unknown:
                sys.exit(f"{page}: there is no {block['what']} {unknown} in `headrace help --json`; correct or drop the block")

        yield page, text, BLOCK.sub(fresh, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("headrace")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    facts, stale = facts_of(arguments.headrace), []
    for page, text, fresh in pages_with(facts):
        if fresh != text:
            stale.append(page.relative_to(DOCS.parent))
            if not arguments.check:
                page.write_text(fresh)
    if missing := facts.untold():
        sys.exit(f"no page of docs/ tells of {', '.join(missing)}; give each a section with a block, as docs/reference has "
                 "them (docs/contributing/add-a-key.md)")
    if stale and arguments.check:
        sys.exit(f"not what the program says: {', '.join(map(str, stale))}; run tools/docs")


if __name__ == "__main__":
    main()
