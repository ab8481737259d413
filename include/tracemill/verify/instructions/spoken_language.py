"""Tells whether a response is in the language that was asked for; only where two ways to tell it do not differ."""

from __future__ import annotations

from tracemill.text.identified import likeliest
from tracemill.text.languages import share_of_script, speaks

SURE = 0.9  # probability from which the n-grams say anything
CERTAIN = 0.99  # and from which they say it alone
FEW_WORDS = 8  # of a text that is too short for either alone
FEW_LETTERS = 25  # of one that is too short for both
PURE = 0.9  # of all letters; with more of another script the response is mixed, and nobody can say what it is in


def is_in(text: str, language: str) -> bool | None:
    """Whether the text is in that language (ISO 639-1), by function words and script and by byte n-grams.

    None where one says yes and the other no, where one alone says it of a few words, where scripts are mixed, and of
    capitals, which both are worst at.
    """
    wanted = language.partition("-")[0].lower()
    if share_of_script(text) < PURE or text.isupper() or sum(map(str.isalpha, text)) < FEW_LETTERS:
        return None
    by_words = speaks(text, wanted)
    best, probability, _ = likeliest(text)
    by_bytes = (best == wanted) if probability >= SURE else None
    if by_words is not None and by_bytes is not None:
        return by_words if by_words == by_bytes else None
    if len(text.split()) < FEW_WORDS or (by_words is None and probability < CERTAIN):
        return None
    return by_bytes if by_words is None else by_words
