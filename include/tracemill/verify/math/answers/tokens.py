"""Cuts a normalised answer into tokens. Nothing is skipped: what is not a token raises Unreadable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from tracemill.text.answer_text import FUNCTIONS
from tracemill.text.symbols import words_of
from tracemill.verify.math.answers.han import spelled_number

MOST = 1500  # tokens of one answer; the longest of 1,971 published references has about 100


class Unreadable(Exception):
    """The text is no answer that can be compared; says nothing about whether it is right."""


class Token(NamedTuple):
    """`kind` is num, run (letters of a formula), word, cmd or sym; `spaced` says whether a blank stands before it."""

    kind: str
    text: str
    spaced: bool = False


Tokens = Sequence[Token]

_TOKEN = re.compile(
    r"(?P<space>\s+)|⟦(?P<mark>[^⟦⟧]*)⟧|(?P<cmd>\\(?:[A-Za-z]+|[{}|\\]))"
    r"|(?P<num>\d+(?:\.\d+)?|\.\d+)|(?P<run>[A-Za-z]+)|(?P<cjk>[\u2460-\u24ff\u3007\u3400-\u9fff\uac00-\ud7a3\u3040-\u30ff]+)"
    r"|(?P<other>[^\W\d_a-zA-Z]+)|(?P<sym>.)"
)
_GREEK = words_of(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi "
    "rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Upsilon Phi "
    "Psi Omega ell hbar"
)
_SPELLED = {
    "pi": r"\pi", "infinity": r"\infty", "infty": r"\infty", "inf": r"\infty", "oo": r"\infty", "sqrt": r"\sqrt",
    "union": r"\cup",
}  # fmt: skip
_SAME = {
    r"\leq": r"\le", r"\leqslant": r"\le", r"\geq": r"\ge", r"\geqslant": r"\ge", r"\neq": r"\ne", r"\lt": "<",
    r"\gt": ">",
    r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lvert": "|", r"\rvert": "|", r"\vert": "|", r"\mid": "|",
    r"\varnothing": r"\emptyset",
    r"\ast": "*", r"\cdot": "*", r"\times": "*", r"\div": "/", r"\colon": ":", r"\ldots": "...",
    r"\dots": "...", r"\cdots": "...",
    r"\arcsin": r"\arcsin", r"\tg": r"\tan", r"\ctg": r"\cot", r"\dotsc": "...",
    r"\wedge": r"\land", r"\vee": r"\lor", r"\simeq": r"\approx", r"\thickapprox": r"\approx", r"\sim": r"\approx",
    r"\backslash": r"\setminus",
    r"\smallsetminus": r"\setminus", r"\rightarrow": r"\to", r"\lbrack": "[", r"\rbrack": "]",
    r"\textdollar": "⟦USD⟧",
}  # fmt: skip
_SHORT_WORDS = words_of(
    "no yes and or not the is are at in on of to for if all any cm mm km kg mg ft lb oz min sec "
    "hr hrs mph kph am pm ml men odd day way one two six ten even true east west north south left "
    "none zero USD RMB Hz mL kHz kJ kW kN kV mV mA kWh MW Pa kPa mol eV GeV MeV rad deg yd mi dm nm ms ways cents "
    "units lbs rpm inches feet hours dozen half boys girls May NaN DNE"
)


def tokenised(text: str) -> list[Token]:
    """The tokens of a normalised answer. Raises Unreadable where it is too long or holds an unknown character."""
    found: list[Token] = []
    spaced = False
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "space":
            spaced = True
            continue
        if len(found) >= MOST:
            raise Unreadable("too long")
        digits = spelled_number(match[kind]) if kind == "cjk" and not (found and found[-1].kind == "num") else ()
        found += [_token(_kind(one), one, spaced) for one in digits] or [_token(kind, match[kind], spaced)]
        spaced = False
    return found


def _kind(text: str) -> str:
    return "num" if text.isdigit() else "sym" if text in "/%" else "cjk"


def _token(kind: str, text: str, spaced: bool) -> Token:
    if kind == "run":
        return _run(text, spaced)
    if kind in ("mark", "cjk", "other"):
        return Token("word", text, spaced)
    if kind == "cmd":
        text = _SAME.get(text, text)
        if text.startswith("⟦"):
            return Token("word", text[1:-1], spaced)
        return Token("cmd" if len(text) > 2 or text == r"\\" else "sym", text, spaced)
    return Token(kind, text, spaced)


def _run(text: str, spaced: bool) -> Token:
    """Letters without a text command: a function, a Greek name, a word, or letters of a formula."""
    if text in _SPELLED or (text in FUNCTIONS and text != "min"):
        return Token("cmd", _SPELLED.get(text, "\\" + text), spaced)
    if text in _GREEK and len(text) > 2:
        return Token("cmd", "\\" + text, spaced)
    capital = len(text) > 1 and text[0].isupper() and not text.isupper()
    if text in _SHORT_WORDS or (len(text) >= 4 and not text.isupper()) or capital or (text.lower() in ("yes", "no")):
        return Token("word", text, spaced)
    return Token("run", text, spaced)


def is_greek(command: str) -> bool:
    """Whether a command is a letter of a formula."""
    return command[1:] in _GREEK


def canonical(tokens: Tokens) -> str:
    """A text that two token lists share exactly when they are the same, blanks aside."""
    return " ".join(token.text if token.kind != "word" else f"⟦{token.text}⟧" for token in tokens)


OPENING = {
    "(": ")",
    "[": "]",
    "{": "}",
    r"\{": r"\}",
    r"\langle": r"\rangle",
    r"\lfloor": r"\rfloor",
    r"\lceil": r"\rceil",
}
CLOSING = frozenset(OPENING.values())


def depths(tokens: Tokens) -> list[int]:
    """How many brackets are open at each token (an opening or closing one counts as inside). Raises Unreadable."""
    depth = 0
    out = []
    for token in tokens:
        if token.text in OPENING and token.kind != "word":
            depth += 1
            out.append(depth)
        elif token.text in CLOSING and token.kind != "word":
            out.append(depth)
            depth -= 1
            if depth < 0:
                raise Unreadable("a bracket too many")
        else:
            out.append(depth)
    if depth:
        raise Unreadable("a bracket too few")
    return out


def split(tokens: Tokens, separators: frozenset[str]) -> tuple[list[list[Token]], list[str]]:
    """The pieces between top-level separators (by text; words by their folded text) and the separators, in order."""
    pieces: list[list[Token]] = [[]]
    used: list[str] = []
    for token, depth in zip(tokens, depths(tokens), strict=True):
        text = token.text.lower() if token.kind == "word" else token.text
        if depth == 0 and text in separators:
            pieces.append([])
            used.append(text)
        else:
            pieces[-1].append(token)
    return pieces, used


def ungrouped(tokens: Tokens) -> list[Token]:
    """Without the braces that hold all of it."""
    out = list(tokens)
    while len(out) >= 2 and out[0].text == "{" and out[-1].text == "}" and _closes(out) == len(out) - 1:
        out = out[1:-1]
    return out


def _closes(tokens: Tokens) -> int:
    return closing(tokens, 0)


def closing(tokens: Tokens, start: int) -> int:
    """The place of the bracket that closes the one at `start`; half-open intervals close with either. Raises."""
    depth = 0
    for at in range(start, len(tokens)):
        token = tokens[at]
        if token.kind == "word":
            continue
        if token.text in OPENING:
            depth += 1
        elif token.text in CLOSING:
            depth -= 1
            if depth == 0:
                return at
    raise Unreadable("a bracket too few")


def is_derivative(tokens: Tokens, at: int) -> bool:
    r"""Whether `\frac{d}{dx}` or `\frac{dy}{dx}` stands there (at its first brace): no quotient of letters."""
    if tokens[at : at + 1] and tokens[at].text == "{":
        below = closing(tokens, at) + 2
        top, bottom = ("".join(token.text for token in tokens[place : place + 1]) for place in (at + 1, below))
        return top[:1] == "d" == bottom[:1] and len(bottom) > 1
    return False
