"""Decides which program a response offers, among its fenced blocks, by what the tests will call.

Tests that call functions or classes by name:
  1. the block that defines most of the names, at its top level or as methods of `class Solution`; the first of equals;
  2. else, if one name is tested, the first block with a lone top-level function of another name, which then also gets
     the tested name (an alias is appended, so that recursive calls stay as they are);
  3. else the first block.
Tests of standard input and output: the last block, as LiveCodeBench takes it.

Blocks without a language's tag that are plainly C++, C, Java, Go, Rust or JavaScript count as tagged so.

Measured on 480 DeepSeek-R1 answers of KodCode; see docs/design/verification.md. Blocks tagged as the language go
before untagged ones; blocks in other languages never count. A response without fences is a program if it compiles.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

PYTHON = frozenset({"python", "python3", "py", "py3"})
_DEFINITION = re.compile(r"^(?:async[ ]+)?(def|class)[ ]+(\w+)", re.MULTILINE)
_NO_LANGUAGE = ("", "text", "plaintext", "txt", "code")
_SIGNS = {
    "cpp": re.compile(
        r"^\s*#\s*include\s*<(?:bits/stdc\+\+\.h|iostream|vector|algorithm|string|map|set|c(?:math|stdio|string|stdlib))>",
        re.MULTILINE,
    ),
    "c": re.compile(r"^\s*#\s*include\s*<\w+\.h>", re.MULTILINE),
    "java": re.compile(r"\bpublic\s+static\s+void\s+main\s*\(|^\s*import\s+java\.", re.MULTILINE),
    "go": re.compile(r"^\s*package\s+main\b", re.MULTILINE),
    "rust": re.compile(r"^\s*(?:pub\s+)?fn\s+main\s*\(\s*\)", re.MULTILINE),
    "javascript": re.compile(r"\brequire\(\s*['\"](?:fs|readline)['\"]\s*\)|\bprocess\.stdin\b|\bconsole\.log\("),
}
_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([^\s`]*)[^`\n]*$")


class Block(NamedTuple):
    """One fenced block: its language's tag in lower case ("" when untagged) and its text.

    `python:solution.py`, `{.python .numberLines}`, `python,linenos` and `language-python` are all tagged "python".
    """

    tag: str
    code: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks in order, by the rules of CommonMark.

    The indentation of the opening fence is taken off every line; a block that is never closed runs to the end.
    """
    found: list[Block] = []
    indent = ""
    fence = ""
    tag = ""
    lines = list[str]()
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if fence and match and match[2].startswith(fence) and not match[3]:
            found.append(Block(tag, "\n".join(lines)))
            fence = ""
        elif fence:
            lines.append(line.removeprefix(indent))
        elif match:
            indent = match[1]
            fence = match[2]
            tag = _tag(match[3])
            lines = []
    if fence:
        found.append(Block(tag, "\n".join(lines)))
    return [block._replace(tag=_guessed(block.code)) if block.tag in _NO_LANGUAGE else block for block in found]


def _guessed(code: str) -> str:
    """The tag of an untagged block that is plainly a program in another language than Python; "" for all else."""
    tag = next((tag for tag, sign in _SIGNS.items() if sign.search(code)), "")
    return "" if tag and _parsed(code) is not None else tag


def _tag(information: str) -> str:
    """The language's tag within what stands behind a fence: before a file name, attributes or options."""
    word = re.split(r"[:,;{}()\[\]=\"'/\\]", information.lower().lstrip("{.").removeprefix("language-"), maxsplit=1)[0]
    return word.strip(".")


def program(text: str, tested: Collection[str], tags: Collection[str] = PYTHON) -> str | None:
    """The program that a response offers for tests of those names, or None when it offers none.

    `tags` are those of its language; where functions are tested, that is Python.
    """
    fenced = blocks(text)
    codes = [b.code for b in fenced if b.tag in tags] or [b.code for b in fenced if not b.tag]
    if not codes:
        return text if not fenced and "python" in tags and _compiles(text) else None
    if not tested:
        return codes[-1]
    codes = list(dict.fromkeys(codes))
    best = max(codes, key=lambda code: len(_names(code).intersection(tested)))  # the first of equals
    return best if _names(best).intersection(tested) else (_aliased(codes, tested) or codes[0])


def _aliased(codes: list[str], tested: Collection[str]) -> str | None:
    if len(tested) != 1:
        return None
    for code in codes:
        functions = [name for name, kind in _defined(code).items() if kind == "def"]
        if len(functions) == 1:
            return f"{code}\n\n{next(iter(tested))} = {functions[0]}\n"
    return None


def _names(code: str) -> set[str]:
    return _defined(code).keys() | _methods(code)


def _defined(code: str) -> dict[str, str]:
    """What a program defines at its top level: name and keyword, "def" or "class"."""
    tree = _parsed(code)
    if tree is None:
        return {name: keyword for keyword, name in _DEFINITION.findall(code)}
    return {
        node.name: "class" if isinstance(node, ast.ClassDef) else "def"
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def _methods(code: str) -> set[str]:
    """The methods of `class Solution`, as LeetCode's frame asks for it."""
    tree = _parsed(code)
    solutions = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Solution"] if tree else []
    return {inner.name for node in solutions for inner in node.body if isinstance(inner, ast.FunctionDef)}


def _compiles(text: str) -> bool:
    tree = _parsed(text)
    return tree is not None and bool(tree.body)


_LONGEST = 256 << 10  # characters; a syntax tree takes a few hundred bytes for each


@lru_cache(maxsize=16)
def _parsed(code: str) -> ast.Module | None:
    """The syntax tree, or None for what is no Python (also for text that overwhelms the parser, or is too long)."""
    if len(code) > _LONGEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
