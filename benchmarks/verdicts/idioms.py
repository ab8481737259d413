"""Test files in the idioms of published suites, made from templates: a right program, a wrong one, and the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_CORPUS = Path(__file__).parent / "corpus"
_VARIANTS = ((3, 2), (7, 5), (12, 3), (41, 4))  # what @N@ and @K@ stand for


class Idiom(NamedTuple):
    """One idiom with one choice of numbers. `right` passes the tests under plain pytest, `wrong` does not."""

    name: str
    right: str
    wrong: str
    tests: str


def idioms() -> list[Idiom]:
    """Every template as it is written."""
    found = []
    for path in sorted(_CORPUS.glob("*.txt")):
        for block in path.read_text().split("=== ")[1:]:
            name, _, rest = block.partition("\n")
            right, _, rest = rest.partition("--- wrong\n")
            wrong, _, tests = rest.partition("--- tests\n")
            found.append(Idiom(name, right, wrong, tests))
    return found


def corpus(variants: int = len(_VARIANTS)) -> Iterator[Idiom]:
    """Every idiom in each of its first `variants` choices of numbers."""
    for number, factor in _VARIANTS[:variants]:
        for idiom in idioms():
            texts = (text.replace("@N@", str(number)).replace("@K@", str(factor)) for text in idiom[1:])
            yield Idiom(f"{idiom.name} {number}", *texts)
