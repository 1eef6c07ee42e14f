"""Sources of a room (preset quick, by which jobs/quickstart builds), and tests of a program, are compiled as one: what each keeps to itself in an
unnamed namespace has a name that no other has. Functions may share one if they take other arguments."""

import collections
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def unnamed(text):
    """What stands in the unnamed namespaces of a source, without comments."""
    text, parts = re.sub(r"//.*", "", text), []
    for begin in re.finditer(r"^namespace \{$", text, re.M):
        at, depth = begin.end(), 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        parts.append(text[begin.end():at - 1])
    return "\n".join(parts)


def definitions(text):
    """(name, what may stand under the same name) of each line that begins one; an alias may be said twice."""
    for line in unnamed(text).splitlines():
        if not line or line[0] in " })#" or line.startswith(("using ", "namespace ", "template", "public", "private")):
            continue
        if kind := re.match(r"(?:class|struct|enum class|enum) (\w+)", line):
            yield kind[1], "a type"
        elif function := re.search(r"(\w+)\((.*)", line):
            if not line.rstrip().endswith(";"):  # a declaration, or a value made by a constructor
                yield function[1], " ".join(re.findall(r"[\w<>]+(?=[&* ]+\w+[,)])", function[2]))
        elif value := re.search(r"(\w+)\s*(?:\[[^\]]*\])?\s*(?:=|\{|;)", line):
            yield value[1], "a value"


def clashes(sources, headers=()):
    """`NAME: FILES` of what several of these, name -> text, define alike, of aliases that mean different things, and of types
    and values that have the name of a function of the room, as the texts of its headers declare it."""
    functions = {name for text in headers for name in re.findall(r"^[a-z][\w:<>&*, ]* (\w+)\(", text, re.M)}
    where, aliases = collections.defaultdict(set), collections.defaultdict(dict)
    for source, text in sources.items():
        for what in definitions(text):
            where[what].add(source)
        for name, meaning in re.findall(r"^using (\w+) = (.*);", text, re.M):
            aliases[name][meaning] = source
    found = [f"{name} ({kind}): {', '.join(sorted(files))}" for (name, kind), files in where.items() if len(files) > 1]
    found += [f"{name} ({kind}, and a function of the room): {', '.join(sorted(files))}" for (name, kind), files in where.items()
              if kind in ("a type", "a value") and name in functions]
    return found + [f"{name} (an alias): {', '.join(sorted(one.values()))}" for name, one in aliases.items()
                    if len(set(one.values())) > 1]


def clashes_of(folder, pattern):
    return clashes({str(path.relative_to(ROOT)): path.read_text() for path in folder.glob(pattern)},
                   [path.read_text() for path in folder.glob("*.hpp")])


def test_sources_of_a_room_go_into_one():
    folders = {path.parent for path in (ROOT / "src").rglob("*.cpp")}
    assert not [clash for folder in folders for clash in clashes_of(folder, "*.cpp")]


def test_so_do_tests_of_a_program():
    folders = {path.parent for path in (ROOT / "tests").rglob("*.cpp")}
    assert not [clash for folder in folders for pattern in ("test_*.cpp", "mpi_*.cpp") for clash in clashes_of(folder, pattern)]


def test_what_clashes_is_found():
    one = "namespace {\nconstexpr int page = 4;\nstruct Parser {\n  int page;\n};\nstd::string of(int a) {\n}\n}\n"
    other = "namespace {\nusing Json = X;\nclass Parser;\nconst int page{3};\nvoid of(double a, int b) {\n}\n}\nint outside;\n"
    assert [text.split(":")[0] for text in clashes({"a": one, "b": other})] == ["page (a value)", "Parser (a type)"]
    assert clashes({"a": "using Json = X;\n", "b": other}) == []
    assert clashes({"a": "using Json = Y;\n", "b": other}) == ["Json (an alias): a, b"]
    assert clashes({"a": one}, ["int page(const X& x);\n"]) == ["page (a value, and a function of the room): a"]
    two = {"a": "namespace {\nbool of(const A::Bits& bits) {\n}\n}\n", "b": "namespace {\nbool of(const Bits& bits) {\n}\n}\n"}
    assert clashes(two) == ["of (Bits): a, b"]  # a type by its full name and without
    assert clashes({"a": one, "b": one.replace("Parser", "Other")}) == ["page (a value): a, b", "of (int): a, b"]
