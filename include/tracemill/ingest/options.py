"""Writes a question's options below it, marked A, B, C, whichever shape a data set keeps them in."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from tracemill.ingest.columns import column, has_column, parsed
from tracemill.ingest.scalars import scalar_text, shown
from tracemill.ingest.source import RowError

_LABELS = ("label", "key", "id", "letter")  # of one option that is an object, and of lists that run in parallel
_TEXTS = ("text", "value", "content", "option")


@dataclass(frozen=True)
class Options:
    """The options as a model sees them, one a line, and their marks; no mark is known of options in one text."""

    lines: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    def below(self, question: str) -> str:
        """The question with its options, a blank line between them."""
        return "\n\n".join(part for part in (question, "\n".join(self.lines)) if part)

    def mark(self, value: Mapping[str, Any], name: str) -> str | None:
        """The mark of the option whose number, from 0, is in that column; None for null. Raises RowError for others."""
        written = scalar_text(column(value, name), name) if has_column(value, name) else None
        if written is None:
            return None
        number = int(float(written)) if re.fullmatch(r"\d{1,3}(?:\.0)?", written.strip()) else len(self.marks)
        if number >= len(self.marks):
            raise RowError(
                "bad_value", f"column {name!r} is {written!r}: no option of {len(self.marks)} has that number"
            )
        return self.marks[number]


def options_of(value: Mapping[str, Any], name: str | Sequence[str]) -> Options:
    """The options of a row: a list, an object by mark, a list of {label, text}, {text: [...], label: [...]}, JSON text
    of these, any other text as it is, or one column for each. None of them where the column is null.

    Raises RowError for a gap among them and for what has no text: an option that is not shown makes another problem.
    """
    if not isinstance(name, str):
        return _marked([column(value, one) if has_column(value, one) else None for one in name], name[0])
    found = _found(value, name)
    if isinstance(found, str):
        return Options((found.strip(),)) if found.strip() else Options()
    if isinstance(found, Mapping):
        return _by_mark(found, name)
    if found is not None and not isinstance(found, list | tuple):
        raise RowError("bad_value", f"column {name!r} should hold options, is {shown(found)}")
    if found and all(isinstance(one, Mapping) for one in found):
        return _pairs([_pair(one, name) for one in found], name)
    return _marked(found or (), name)


def _found(value: Mapping[str, Any], name: str) -> Any:
    found = column(value, name) if has_column(value, name) else None
    if not isinstance(found, str) or found.lstrip()[:1] not in ("[", "{"):
        return found
    try:
        return parsed({name: found}, name)
    except RowError:
        return found  # a text that only begins like JSON


def _by_mark(found: Mapping[str, Any], name: str) -> Options:
    texts = next((found[key] for key in _TEXTS if isinstance(found.get(key), list | tuple)), None)
    if texts is None:
        return _pairs([(str(mark), text) for mark, text in found.items() if text is not None], name)
    marks = next((found[key] for key in _LABELS if isinstance(found.get(key), list | tuple)), None)
    if marks is None:
        return _marked(texts, name)
    if len(marks) != len(texts):
        raise RowError("bad_value", f"column {name!r} has {len(texts)} options and {len(marks)} marks")
    return _pairs([(str(mark), text) for mark, text in zip(marks, texts, strict=True)], name)


def _pair(one: Mapping[str, Any], name: str) -> tuple[str, Any]:
    mark = next((one[key] for key in _LABELS if one.get(key) is not None), None)
    text = next((one[key] for key in _TEXTS if one.get(key) is not None), None)
    if mark is None:
        raise RowError("bad_value", f"column {name!r}: an option has no {' or '.join(_LABELS)}: {shown(dict(one))}")
    return str(mark), text


def _marked(texts: Sequence[Any], name: str) -> Options:
    """Options in their order, which is their mark; those that are marked already stay as they are."""
    given = list(texts)
    while given and given[-1] is None:
        given.pop()
    if len(given) > len(ascii_uppercase):
        raise RowError("bad_value", f"column {name!r} has {len(given)} options")
    marks = list(ascii_uppercase[: len(given)])
    own = [re.match(rf"\W*{mark}\s*[.):]", str(text), re.IGNORECASE) for mark, text in zip(marks, given, strict=True)]
    if given and all(own):
        return Options(tuple(str(text).strip() for text in given), tuple(marks))
    return _pairs(list(zip(marks, given, strict=True)), name)


def _pairs(pairs: Sequence[tuple[str, Any]], name: str) -> Options:
    texts = [scalar_text(text, name) for _, text in pairs]
    if None in texts:
        raise RowError("bad_value", f"column {name!r}: an option is blank: {shown(json.dumps(pairs, default=str))}")
    lines = (f"{mark.strip()}. {(text or '').strip()}" for (mark, _), text in zip(pairs, texts, strict=True))
    return Options(tuple(lines), tuple(mark.strip() for mark, _ in pairs))
