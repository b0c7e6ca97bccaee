"""Sizes that a reader can hold in the head: files, functions; and what every header starts with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import Finding, Tree

FILE_ERROR = 400
FILE_WARNING = 300
FUNCTION_ERROR = 60
SOURCES = ["src/**/*.h", "src/**/*.cc", "bin/**/*.cc", "tests/**/*.cc", "tests/**/*.h"]

NOISE = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | R"(?P<d>[^(\s]*)\(.*?\)(?P=d)" | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])+' """,
    re.DOTALL | re.VERBOSE,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*", re.MULTILINE | re.DOTALL)
# A head that ends like a parameter list, with what may follow one; and words that look like it but are not.
FUNCTION_HEAD = re.compile(r"\)\s*(?:const|noexcept|override|final|mutable|&&?|->[^;{}]*|:[^;{}]*|requires[^;{}]*|\s)*$")
NOT_A_FUNCTION = re.compile(r"^\s*(?:if|for|while|switch|catch|else|do|namespace|class|struct|union|enum)\b")
NAME = re.compile(r"([\w:~]+|operator\s*\S+)\s*\((.*)", re.DOTALL)


def check(tree: Tree) -> Iterator[Finding]:
    for path, text in tree.files(*SOURCES):
        yield from file_size(path, text)
        yield from function_sizes(path, text)
        if path.endswith(".h") and first_line_of_code(text) != "#pragma once":
            yield Finding(path, 1, "pragma-once", "a header starts with #pragma once")


def file_size(path: str, text: str) -> Iterator[Finding]:
    lines = text.count("\n")
    if lines > FILE_ERROR:
        yield Finding(path, 1, "file-size", f"{lines} lines; {FILE_ERROR} is the limit: split it by what changes together")
    elif lines > FILE_WARNING:
        yield Finding(path, 1, "file-size", f"{lines} lines; think of splitting it before {FILE_ERROR}", error=False)


def function_sizes(path: str, text: str) -> Iterator[Finding]:
    for name, first, last in functions(text):
        lines = last - first + 1
        if lines > FUNCTION_ERROR:
            message = f"{name} has {lines} lines; {FUNCTION_ERROR} is the limit: let its callees tell the story"
            yield Finding(path, first, "function-size", message)


def first_line_of_code(text: str) -> str:
    return next((line.strip() for line in strip(text).splitlines() if line.strip()), "")


def strip(text: str) -> str:
    """The text with comments and the contents of literals gone and every line where it was."""
    return NOISE.sub(lambda match: '""' + "\n" * match[0].count("\n") if match[0][0] in "R\"'" else _newlines(match), text)


def _newlines(match: re.Match) -> str:
    return "\n" * match[0].count("\n")


def functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Name, first and last line of every function with a body; what stands inside one belongs to it."""
    code = DIRECTIVE.sub(_newlines, strip(text))
    head_start = 0
    inside: tuple[str, int, int] | None = None  # name, first line, depth of the function that is open
    depth = 0
    for at, character in enumerate(code):
        if character == "{":
            head = code[head_start:at]
            if inside is None and FUNCTION_HEAD.search(head) and not NOT_A_FUNCTION.match(head):
                start = head_start + len(head) - len(head.lstrip())
                inside = (_name(head), code.count("\n", 0, start) + 1, depth)
            depth += 1
        elif character == "}":
            depth -= 1
            if inside and depth == inside[2]:
                yield inside[0], inside[1], code.count("\n", 0, at) + 1
                inside = None
        if character in "{};":
            head_start = at + 1


def _name(head: str) -> str:
    match = NAME.search(head)
    if not match:
        return "a function"
    if match[1] in ("TEST", "TEST_F", "TEST_P"):
        return f"{match[1]}({' '.join(match[2].split(')')[0].split())})"
    return match[1]
