"""Reads what tokens fold and problems turn on: primes, crosses of vectors, and code, where marks and depth decide."""

from __future__ import annotations

import re

# Arrow's regular expressions (RE2): rows without any of these have nothing verbatim.
MAY_BE = (
    r"(?:^|[^A-Za-z])[A-Za-z](?:_\{?\w+\}?)?'|[)\]}]'|```|\\times|×|(?m:^\s*print\(|^\s*(?:async\s+)?"
    r"(?:for|while|if|elif|else|def|class|with|try|except|finally)\b.*:\s*$)"
)
_PRIME = re.compile(
    r"(?<![A-Za-z])(?<![^A-Za-z)]')(?<!\A')[A-Za-z](?:_(?:\{\w+\}|\w))?'+(?![a-z'])|[)\]}]'+(?=\s*[(=])"
)
# Of vectors a cross is not a dot, of numbers it is. Tuples are vectors, and bold letters, and letters under an arrow.
_VECTORS = re.compile(
    r"(?i:\bvectors?\b|cross product|向量)|\\vec\b|\\overrightarrow|[A-Za-z]\}? *= *[(<\[] *-?\d[^()\n]*,"
)
_CROSS = re.compile(r"([A-Za-z)])[}\s]*(?:\\times(?![A-Za-z])|×)\s*(?:\\\w+\s*\{|\()?\s*([A-Za-z])")
_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+#.-]*)[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.M | re.S)
_DRAWINGS = ("asy", "asymptote", "tikz")
_OPENER = re.compile(r"\s*(?:async\s+)?(?:for|while|if|elif|else|def|class|with|try|except|finally)\b.*:\s*")
_PRINT = re.compile(r"\s*print\(")
_AROUND = re.compile(r"\s*([^\w\s'\"])\s*")  # blanks within quotes and between words say something


def primes(text: str) -> str:
    """The formulas' letters and brackets with primes, in their order: f'(2) and f(2) have the same tokens."""
    return " ".join(_PRIME.findall(text)) if "'" in text else ""


def crosses(prompt: str) -> str:
    """The cross products of letters in a text about vectors, which tokens take for products; "" where there is none."""
    found = _CROSS.findall(prompt) if "×" in prompt or "\\times" in prompt else []
    return " ".join(map("×".join, found)) if found and _VECTORS.search(prompt) else ""


def code(prompt: str) -> str:
    """The code of a prompt as it is written, of a depth for each indentation; "" where there is none.

    It is what stands between fences or, where nothing does, lines of Python that open a block, stand in one, or print.
    Blank lines and blanks around marks say nothing.
    """
    fenced = [body for name, body in _FENCE.findall(prompt) if name.lower() not in _DRAWINGS]
    lines = [line for body in fenced for line in body.split("\n")] if fenced else _python_lines(prompt.split("\n"))
    return "\n".join(_written(lines))


def _python_lines(lines: list[str]) -> list[str]:
    found: list[str] = []
    block: int | None = None
    for line in lines:
        depth = len(line) - len(line.lstrip())
        block = block if block is not None and (not line.strip() or depth > block) else None
        if block is not None or _OPENER.fullmatch(line) or _PRINT.match(line):
            found.append(line)
        if block is None and _OPENER.fullmatch(line):
            block = depth
    return found


def _written(lines: list[str]) -> list[str]:
    """The lines with a depth in place of their indentation: two blanks or four are the same."""
    open_blocks: list[int] = []
    written = []
    for line in lines:
        if not line.strip():
            continue
        plain = line.expandtabs(4)
        indentation = len(plain) - len(plain.lstrip())
        while open_blocks and open_blocks[-1] >= indentation:
            open_blocks.pop()
        marks = _AROUND.sub(r"\1", plain.strip())
        written.append(f"{len(open_blocks)}:{marks}")
        open_blocks.append(indentation)
    return written
