"""Sources of a room (preset quick, by which jobs/quickstart builds), and tests of a program, are compiled as one: what each
keeps to itself in an unnamed namespace has a name that no other has. Functions may share one if they take other arguments."""

import collections
import re
from pathlib import Path

import pytest
from source_text import code_of

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ROOT / "tests/texts.hpp"

BEGINS_NONE = ("using ", "namespace ", "template", "public", "private")
MACRO = re.compile(r"[A-Z][A-Z0-9_]*\(.*\)")
ATTRIBUTE = re.compile(r"\[\[.*?\]\]\s*|__attribute__\(\(.*?\)\)\s*|alignas\(.*?\)\s*")
TYPE = re.compile(r"(?:class|struct|union|enum(?: class)?)(?: (\w+))?(?: final)?\s*[:{;]")
ARGUMENT = re.compile(r"[\w<>]+(?=[&* ]+\w+\s*(?:=[^,]*)?(?:,|$))")


def unnamed(text):
    """What stands in the unnamed namespaces of a source: its code."""
    code, parts = code_of(text), []
    for begin in re.finditer(r"^namespace \{[ \t]*$", code, re.M):
        inside = up_to(code[begin.end():], "{}")
        assert inside is not None, f"a brace is missing, or one too many opened, behind {code[begin.start():][:200]}"
        parts.append(inside)
    return "\n".join(parts)


def up_to(text, brackets):
    """The text in front of the bracket that closes what was opened before it; None where nothing does."""
    depth = 1
    for one in re.finditer(f"[{brackets}]", text):
        depth += 1 if one[0] == brackets[0] else -1
        if depth == 0:
            return text[:one.start()]
    return None


def beginnings(text):
    """Of each declaration the lines up to its first `{` or `;`, as one line."""
    whole = ""
    for line in unnamed(text).splitlines():
        if not whole and (not line or line[0] in " })" or line.startswith(BEGINS_NONE)) or line.startswith("#"):
            continue
        whole = f"{whole} {line.strip()}".strip()
        if MACRO.fullmatch(whole):
            whole = ""
        elif whole.count("(") <= whole.count(")") and re.search("[{;]", whole):
            yield ATTRIBUTE.sub("", whole)
            whole = ""


def definitions(text):
    """(name, what may stand under the same name) of each; an alias may be said twice."""
    for begin in beginnings(text):
        flat, before = begin, ""
        while flat != before:  # std::function<void(int)> is no function
            flat, before = re.sub(r"<[^<>()]*(?:\([^()]*\)[^<>()]*)*>", lambda arguments: "~" * len(arguments[0]), flat), flat
        if kind := TYPE.match(begin):
            if kind[1]:
                yield kind[1], "a type"
        elif function := re.match(r"[^=({;]*?\b(operator\W+?|\w+)\(", flat):
            if not begin.endswith(";"):  # a declaration, or a value made by a constructor
                yield function[1], " ".join(ARGUMENT.findall(up_to(begin[function.end():], "()") or ""))
        elif value := re.match(r"[^={;]*?(\w+)\s*(?:\[[^\]]*\]\s*)*[={;]", flat):
            yield value[1], "a value"


def functions_of(header):
    return set(re.findall(r"^[a-z][\w:<>&*, ]* (\w+)\(", code_of(header), re.M))


def clashes(sources, headers=()):
    """`NAME: FILES` of what several of these, name -> text, define alike, of aliases that mean different things, and of types
    and values that have the name of a function of the room, as the texts of its headers declare it."""
    functions = {name for text in headers for name in functions_of(text)}
    where, aliases = collections.defaultdict(set), collections.defaultdict(dict)
    for source, text in sources.items():
        for what in definitions(text):
            where[what].add(source)
        for name, meaning in re.findall(r"^using (\w+) = (.*);", code_of(text), re.M):
            aliases[name][meaning] = source
    found = [f"{name} ({kind}): {', '.join(sorted(files))}" for (name, kind), files in where.items() if len(files) > 1]
    found += [f"{name} ({kind}, and a function of the room): {', '.join(sorted(files))}" for (name, kind), files in where.items()
              if kind in ("a type", "a value") and name in functions]
    return found + [f"{name} (an alias): {', '.join(sorted(one.values()))}" for name, one in aliases.items()
                    if len(set(one.values())) > 1]


def hidden(sources, header):
    """What these, name -> text, keep to themselves under the name of a function of this header: where it fits better, others
    that are compiled with them would call it."""
    names = functions_of(header)
    return [f"{source}: {name}() is a function of tests/texts.hpp: use that, or call this one otherwise"
            for source, text in sources.items() for name in sorted({name for name, kind in definitions(text)} & names)]


def texts_of(folder, pattern):
    return {str(path.relative_to(ROOT)): path.read_text() for path in folder.glob(pattern)}


def clashes_of(folder, pattern):
    return clashes(texts_of(folder, pattern), [path.read_text() for path in folder.glob("*.hpp")])


def test_sources_of_a_room_go_into_one():
    folders = {path.parent for path in (ROOT / "src").rglob("*.cpp")}
    assert not [clash for folder in folders for clash in clashes_of(folder, "*.cpp")]


def test_so_do_tests_of_a_program():
    folders = {path.parent for path in (ROOT / "tests").rglob("*.cpp")}
    assert not [clash for folder in folders for pattern in ("test_*.cpp", "mpi_*.cpp") for clash in clashes_of(folder, pattern)]


def test_helpers_of_all_tests_are_not_hidden():
    sources = texts_of(ROOT / "tests", "**/test_*.cpp") | texts_of(ROOT / "tests", "**/mpi_*.cpp")
    assert functions_of(TEXTS.read_text()) == {"has", "says", "error_of"}
    wrong = hidden(sources, TEXTS.read_text())
    assert not wrong, "\n".join(wrong)


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


def kept(text):
    return list(definitions(f"namespace {{\n{text}\n}}  // namespace\nint outside;\n"))


def test_what_stands_in_quotes_opens_nothing():
    assert clashes({"a": "using A = B;\n", "b": "/*\nusing A = C;\n*/"}) == []
    for quoted in ('"{"', "'{'", "'\"', '{'", 'R"({\n\n")"', "1; // {", "1; /* {\n { */"):
        assert kept(f"const auto a = {quoted};\n\nint f(int b) {{\n}}") == [("a", "a value"), ("f", "int")]
    with pytest.raises(AssertionError, match="a brace is missing"):
        kept("int f() {")


def test_signatures_are_read_whole():
    assert kept("void f(const A& a,\n       const B& b = {},\n       int c = 1) {\n}") == [("f", "A B int")]
    assert kept("std::map<int, int>\nf(int a) {\n  return g(1, 2);\n}") == [("f", "int")]
    assert kept("int f(int a,\n      int b);\nconst int c =\n    g(1);\nint d() { return 1; }") == [("c", "a value"), ("d", "")]
    assert kept("std::function<void(int)> f(int a) {\n}\nconst std::function<void()> g = h;") == [("f", "int"), ("g", "a value")]
    assert kept('[[gnu::target("x")]] void f(int a) {\n}\nMACRO(x)\nstruct alignas(8) A {\n};') == [("f", "int"), ("A", "a type")]
    assert kept("bool operator==(const A& a, const A& b) {\n}") == [("operator==", "A A")]
    assert kept("struct stat f(int a) {\n}\nint e[2] = {};") == [("f", "int"), ("e", "a value")]
    assert kept("template <class T,\n          class U>\nP::P(T a)\n    : a(a), b{2} {\n}") == [("P", "T")]
    assert kept("enum { x };\nenum class E : int { y };\nstd::mutex m;") == [("E", "a type"), ("m", "a value")]


def test_helpers_are_known_by_their_header():
    header = "inline auto says(int a) {\n}\ntemplate <class T>\nstd::string error_of(const T& a) {\n}\n"
    own = "namespace {\nbool says(const Error& a) {\n}\nconst auto error_of = 1;\nbool f(int a) {\n  return says(a);\n}\n}\n"
    assert [line.split("(")[0] for line in hidden({"a": own}, header)] == ["a: error_of", "a: says"]
    assert hidden({"a": own.replace("bool says", "bool say").replace("error_of", "error")}, header) == []
