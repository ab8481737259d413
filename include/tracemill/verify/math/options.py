"""Reads letters of a multiple choice with the choices of the problem: `B` and `15` are one where (B) is 15."""

from __future__ import annotations

import re

from tracemill.text.answer_text import normalised_answer
from tracemill.verify.math.pool import Pair

_LETTER = re.compile(r"[(\[]?\s*⟦?([A-Ja-j])⟧?\s*[)\]]?\s*\.?")
_CHOICE = re.compile(r"(?:⟦?(?:option|choice)⟧?\s*)?(?:[(\[]\s*⟦?[A-J]⟧?\s*[)\]]|⟦?[A-J]⟧?\s*[.:)])", re.IGNORECASE)
_VALUE = re.compile(r"[\d\\]")


def with_choices(pair: Pair, problem: str) -> Pair:
    """The pair with what the problem says that its letter stands for, where the two sides cannot be compared without.

    A letter against a value is the value of its choice; against a letter with a text it has its own text, so that
    `(B) 18` does not pass where (B) is 15; a small letter alone is its capital. All else stays as it is.
    """
    gold, answer = (_LETTER.fullmatch(text) for text in pair[:2])
    if not gold and not answer:
        return pair
    from tracemill.text.choices import parted  # loads Arrow's functions, which the workers of the pool do without

    choices = parted(problem)[1]
    if not choices:
        return pair
    if gold and answer:
        return pair._replace(gold=gold[1].upper(), answer=answer[1].upper())
    letter = "".join(found[1].upper() for found in (gold, answer) if found)
    text = normalised_answer(choices.get(letter, ""))
    if not text or (answer and not _VALUE.search(pair.gold)):
        return pair
    if answer:
        return pair._replace(answer=text)
    if _CHOICE.match(pair.answer):
        return pair._replace(gold=f"({letter}) {text}")
    said = _plain(pair.answer)
    return (
        pair._replace(gold=text, answer=text if said == _plain(text) else pair.answer)
        if _readable(said, text)
        else pair
    )


def _readable(said: str, text: str) -> bool:
    """Whether a value, or the very words of the choice, was said: other words may mean it too."""
    return _VALUE.search(said) is not None or said == _plain(text)


def _plain(text: str) -> str:
    return " ".join(text.replace("⟦", "").replace("⟧", "").lower().split())
