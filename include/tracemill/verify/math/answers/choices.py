"""Reads choices: letters A to J in every dress (`(B)`, `B. 12`, `Option B`, `A, C`), and the text behind one."""

from __future__ import annotations

from collections.abc import Callable

from tracemill.verify.math.answers.shapes import Choice, Opaque, Shape
from tracemill.verify.math.answers.tokens import Token, Tokens, Unreadable, canonical

LETTERS = frozenset("ABCDEFGHIJ")
_NAMES = frozenset(("option", "choice", "answer", "options", "choices", "选项", "选", "statement", "statements"))
_BETWEEN = frozenset((",", ";", "and", "和", "与", "&"))
_NO_TEXT = frozenset((",", ";", "^", "/", "*", "and", "or", "but", "和", "或"))  # what no choice's own text begins with
_OPEN = frozenset("([")
_CLOSE = frozenset(")]")


def choice(tokens: list[Token], inner: Callable[[Tokens], Shape]) -> Shape | None:
    """The choice that the tokens spell, or None where they spell none. Raises Unreadable for "A or B"."""
    rest = tokens
    named = False
    if len(tokens) > 1 and tokens[0].kind == "word" and tokens[0].text.lower() in _NAMES:
        rest = tokens[1:]
        named = True
    if not rest:
        return None
    return _several(rest) or _single(rest, named, inner)


def _letter(token: Token, bracketed: bool) -> str:
    text = token.text
    if token.kind not in ("run", "word") or len(text) != 1:
        return ""
    return text.upper() if text in LETTERS or (bracketed and text.upper() in LETTERS) else ""


def _single(tokens: list[Token], named: bool, inner: Callable[[Tokens], Shape]) -> Shape | None:
    """One letter, in brackets, before a dot or colon, or alone; what stands behind is its text."""
    if len(tokens) == 1:
        letter = _letter(tokens[0], named)
        return Choice(letter, certain=named) if letter else None
    if tokens[0].text in _OPEN and len(tokens) >= 3 and tokens[2].text in _CLOSE:
        letter = _letter(tokens[1], True)
        after = tokens[3:]
        if not letter or (tokens[1].text.islower() and after):
            return None
    elif tokens[1].text in (".", ":", ")") and tokens[0].text in LETTERS:
        letter = tokens[0].text
        after = tokens[2:]
    elif named and _letter(tokens[0], False):
        letter = tokens[0].text
        after = tokens[1:]
    else:
        return None
    after = after[1:] if after and after[0].text in (".", ":") else after
    if after and after[0].text.lower() in _NO_TEXT:
        raise Unreadable("a choice that goes on")
    return Choice(letter, _text(after, inner) if after else None)


def _text(tokens: list[Token], inner: Callable[[Tokens], Shape]) -> Shape:
    try:
        return inner(tokens)
    except Unreadable:
        return Opaque(canonical(tokens))


def _several(tokens: list[Token]) -> Shape | None:
    """Two or more letters with commas, "and" or nothing between them."""
    found: list[str] = []
    for token in tokens:
        text = token.text.lower() if token.kind == "word" else token.text
        if text in _OPEN or text in _CLOSE or text in _BETWEEN:
            continue
        if token.kind not in ("run", "word") or len(token.text) != 1 or token.text not in LETTERS:
            return None
        found.append(token.text)
    if len(found) < 2 or len(set(found)) != len(found):
        return None
    return Choice("".join(found))
