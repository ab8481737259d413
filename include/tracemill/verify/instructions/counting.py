"""Counts words, sentences and capital words as IFEval's checkers do: with nltk, whose model is a package here."""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nltk.tokenize.destructive import NLTKWordTokenizer
    from nltk.tokenize.punkt import PunktSentenceTokenizer

_WORD = re.compile(r"\w+")
_WIDE_ENDS = re.compile(r"[。！？।]+")


def compares(count: int, relation: str, wanted: int) -> bool:
    """IFEval's two relations. Raises ValueError for another one."""
    if relation == "at least":
        return count >= wanted
    if relation == "less than":
        return count < wanted
    raise ValueError(f"unknown relation {relation!r}")


def words(text: str, relation: str, wanted: int) -> bool | None:
    """Whether the text has that many words, by nltk's pattern: runs of letters, digits and underlines.

    Where vowels are written as marks (Devanagari, Tamil, Thai, ...) the pattern cuts a word at each: what the pieces
    say is then only told where whole words say it too, and never against the response.
    """
    pieces = compares(len(_WORD.findall(text)), relation, wanted)
    if text.isascii():
        return pieces
    bare = "".join(character for character in text if not unicodedata.category(character).startswith("M"))
    if len(_WORD.findall(bare)) == len(_WORD.findall(text)):
        return pieces
    return True if pieces and compares(len(_WORD.findall(bare)), relation, wanted) else None


def sentences(text: str) -> int:
    """How many sentences Punkt's English model finds."""
    return len(_punkt().tokenize(text))


def has_sentences(text: str, relation: str, wanted: int) -> bool | None:
    """Whether the text has that many sentences; None where full-width marks end some, which the model does not know."""
    told = compares(sentences(text), relation, wanted)
    wide = _WIDE_ENDS.findall(text)
    return told if not wide or told == compares(sentences(text) + len(wide), relation, wanted) else None


def capital_words(text: str) -> int:
    """How many of nltk's words are written in capitals; "I've" is two words, the first of which is."""
    tokens = _words()
    return sum(word.isupper() for part in _punkt().tokenize(text) for word in tokens.tokenize(part))


@functools.cache
def _punkt() -> PunktSentenceTokenizer:
    """nltk's sentence tokenizer, with the English model of the package `punkt` (nltk itself would download it)."""
    import punkt
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    model = punkt.load_model("english")
    parameters = PunktParameters()
    parameters.abbrev_types = set(model.abbrev_types)
    parameters.collocations = {tuple(pair) for pair in model.collocations}
    parameters.sent_starters = set(model.sent_starters)
    parameters.ortho_context.update({word: int(flags) for word, flags in model.ortho_context.items()})
    return PunktSentenceTokenizer(parameters)


@functools.cache
def _words() -> NLTKWordTokenizer:
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()
