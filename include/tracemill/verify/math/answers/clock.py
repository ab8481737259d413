"""Reads times of day that say which half of the day they mean, and compares them with each other and with 15:00."""

from __future__ import annotations

from collections.abc import Callable

from tracemill.verify.math.answers.nodes import Node
from tracemill.verify.math.answers.sameness import Sameness
from tracemill.verify.math.answers.shapes import Clock, Colons, Shape
from tracemill.verify.math.answers.tokens import Token, Tokens

_HALVES = {
    "am": 0, "pm": 12, "midnight": 0, "noon": 12, "上午": 0, "早上": 0, "凌晨": 0, "下午": 12,
}  # fmt: skip
_TWELVE = ("midnight", "noon")  # said of twelve o'clock alone
_MARKS = frozenset((":", "点", "时"))
_ENDINGS = frozenset(("点", "时", "分", "整"))


def clock(tokens: list[Token], inner: Callable[[Tokens], Shape]) -> Shape | None:
    """A time with its half of the day (`3:00 PM`, `3 pm`, `12 noon`, `下午3点`), on the clock of 24 hours."""
    texts = [token.text.lower() for token in tokens]
    halves = [text for text in (texts[0], texts[-1]) if text in _HALVES]
    if len(texts) == 1 and texts[0] in _TWELVE:
        return Clock(_HALVES[texts[0]], 0, 0)
    if len(texts) < 2 or len(halves) != 1:
        return None
    rest = texts[1:] if texts[0] in _HALVES else texts[:-1]
    while rest and rest[-1] in _ENDINGS:
        rest.pop()
    if not all(text.isdigit() and len(text) < 3 for text in rest[::2]) or not _MARKS.issuperset(rest[1::2]):
        return None
    hour, *finer = (int(text) for text in rest[::2]) if rest else (0,)
    if hour not in range(1, 13) or len(finer) > 2 or any(part >= 60 for part in finer):
        return None
    if halves[0] in _TWELVE and (hour != 12 or any(finer)):
        return None
    minute, second = (*finer, 0, 0)[:2]
    return Clock(hour % 12 + _HALVES[halves[0]], minute, second)


def same_clock(gold: Shape, answer: Shape) -> Sameness | None:
    """Two times of day; one that leaves its half of the day open is the other's only from 13:00 on."""
    if isinstance(gold, Clock) and isinstance(answer, Clock):
        return "equal" if gold == answer else "different"
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, Clock) and isinstance(other, Colons):
            return _against_colons(one, other)
    return None


def _against_colons(one: Clock, other: Colons) -> Sameness:
    written = [_whole(part) for part in other.parts]
    if None in written or len(written) > 3:
        return "unknown"
    hour, minute, second = ([part or 0 for part in written] + [0])[:3]
    if (hour % 12, minute, second) != (one.hour % 12, one.minute, one.second):
        return "different"
    open_half = hour in range(1, 13)
    return "unknown" if open_half else "equal" if hour == one.hour else "different"


def _whole(node: Node) -> int | None:
    return int(node.value) if node.op == "num" and node.value.denominator == 1 else None
