"""Measures what the rules catch of a question in the other language or in other words, which no rule makes of an item.

The exercises of tellings.txt say the same in English, in English again and in Chinese. One telling is the item, another
is the row. `other_numbers` and `other_question` must not be caught: the row is told otherwise than the item, and has
other numbers, or asks for something else. They are tracemill's exercises and no benchmark's, shorter than most, in the
vocabulary of schools: what is caught of them says that the rules of a run see across languages, and how far they go.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from tracemill.engine.tables.dedup import TEMPLATES

OTHER_NUMBERS = "other_numbers"
OTHER_QUESTION = "other_question"
CONTROLS = (OTHER_NUMBERS, OTHER_QUESTION)
# Kind: how the item is told, and how the row is.
TOLD = {"translated_to_chinese": ("en", "zh"), "translated_to_english": ("zh", "en"), "reworded": ("en", "again")}
DRAWS = 2  # items of an exercise and language
_NAMES = (("Tom", "汤姆"), ("Anna", "安娜"), ("Emma", "艾玛"), ("Jack", "杰克"), ("Lily", "莉莉"), ("Leo", "利奥"))
_RANGES = {"a": (61, 79), "b": (31, 59), "c": (12, 29), "d": (4, 9)}
Telling = tuple[str, str, str]  # situation, question, another question
# Items by name, texts → for each text the names of the items that some rule says it gives away.
Given = Callable[[Mapping[str, str], Sequence[str]], Sequence[Collection[str]]]


class Retold(NamedTuple):
    """A row of one kind, and the name of the item that it is told after."""

    kind: str
    item: str
    text: str


@cache
def exercises() -> tuple[Mapping[str, Telling], ...]:
    """The exercises of tellings.txt: telling by "en", "again" and "zh"."""
    text = resources.files(__package__).joinpath("tellings.txt").read_text(encoding="utf-8")
    blocks = [[line for line in block.splitlines() if not line.startswith("#")] for block in text.split("\n\n")]
    return tuple(dict(_told(line) for line in block) for block in blocks if block)


def retold(kind: str) -> tuple[dict[str, str], list[Retold]]:
    """The items by name, and the rows that are told after them: as `kind` says, and the controls in the same words."""
    rng = random.Random(kind)
    told, again = TOLD[kind]
    items = dict[str, str]()
    rows = list[Retold]()
    for number, exercise in enumerate(exercises()):
        for draw in range(DRAWS):
            drawn = _drawn(rng)
            name = f"{number}/{draw}"
            items[name] = _text(exercise[told], told, drawn)
            rows.append(Retold(kind, name, _text(exercise[again], again, drawn)))
            rows.append(Retold(OTHER_NUMBERS, name, _text(exercise[again], again, drawn | _numbers(rng, drawn))))
            rows.append(Retold(OTHER_QUESTION, name, _text(exercise[again], again, drawn, asked=2)))
    return items, rows


def measured(given: Given) -> Iterator[dict[str, Any]]:
    """Rows of the table `mutants`. A telling is caught where its own item is found, a control where any item is."""
    hits = dict[str, list[bool]]()
    for kind in TOLD:
        items, rows = retold(kind)
        for row, found in zip(rows, given(items, [row.text for row in rows]), strict=True):
            hits.setdefault(row.kind, []).append(bool(found) if row.kind in CONTROLS else row.item in found)
    for kind in (*TOLD, *CONTROLS):
        yield {"benchmark": TEMPLATES, "kind": kind, "texts": len(hits[kind]), "caught": sum(hits[kind])}


def _told(line: str) -> tuple[str, Telling]:
    name, _, said = line.partition(": ")
    situation, asked, other = said.split(" | ")
    return name, (situation, asked, other)


def _drawn(rng: random.Random) -> dict[str, Any]:
    who, other = rng.sample(_NAMES, 2)
    return {"who": who, "other": other} | _numbers(rng, {})


def _numbers(rng: random.Random, old: Mapping[str, Any]) -> dict[str, Any]:
    """A number for each place, none of which is the old one."""
    ranges = {place: range(low, high + 1) for place, (low, high) in _RANGES.items()}
    return {place: rng.choice([n for n in numbers if n != old.get(place)]) for place, numbers in ranges.items()}


def _text(telling: Telling, language: str, drawn: Mapping[str, Any], asked: int = 1) -> str:
    """The situation with its question, or (`asked` = 2) with the other one."""
    names = {place: drawn[place][language == "zh"] for place in ("who", "other")}
    text = telling[0] + ("" if language == "zh" else " ") + telling[asked]
    for place, value in {**drawn, **names}.items():  # braces are LaTeX's, too
        text = text.replace(f"{{{place}}}", str(value))
    return text
