"""What the checks beside this file look at of a C++ source: its code."""

import functools
import re

TOKEN = re.compile(
    r"""(?P<kept>\#[ \t]*include[ \t]*"[^"\n]*" | \b\d(?:'?\w)*)  # names of headers, and numbers such as 1'000
      | (?P<comment>//(?:\\\n|[^\n])* | /\*.*?\*/)
      | \b(?:u8|[uUL])?R"(?P<end>[^\s()\\]*)\(.*?\)(?P=end)"
      | (?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\\n])*(?P=quote)""", re.S | re.X)
CONDITION = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b\s*(.*)")


@functools.cache
def code_of(text):
    """The text without comments, without what `#if 0` leaves out, and with nothing between the quotes of strings and of
    characters but for names of headers. Whatever stays is on the line it was on."""
    return without_if_0(TOKEN.sub(blank, text))


def blank(token):
    return token["kept"] or (" " if token["comment"] else '""') + "\n" * token[0].count("\n")


def without_if_0(code):
    lines, left_out = [], []
    for line in code.split("\n"):
        word, condition = match.groups() if (match := CONDITION.match(line)) else ("", "")
        if word.startswith("if"):
            left_out.append(condition.strip() in ("0", "false"))
        elif word and left_out:
            left_out[-1] = False
            if word == "endif":
                left_out.pop()
        lines.append("" if any(left_out) else line)
    return "\n".join(lines)
