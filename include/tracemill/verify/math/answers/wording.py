"""Reads words: names, yes and no, "no solution", labels such as AB; and the named sets of numbers."""

from __future__ import annotations

from tracemill.text.hedges import HEDGES
from tracemill.text.symbols import words_of
from tracemill.verify.math.answers.han import SAME
from tracemill.verify.math.answers.nodes import number
from tracemill.verify.math.answers.number_words import spelled
from tracemill.verify.math.answers.shapes import Domain, Infinite, Listed, Quantity, Shape, Words
from tracemill.verify.math.answers.tokens import Token
from tracemill.verify.math.answers.units import MULTIPLES, Unit

_DOMAINS = {
    ("all", "real", "numbers"): "R", ("all", "reals"): "R", ("any", "real", "number"): "R", ("real", "numbers"): "R",
    ("the", "real", "numbers"): "R", ("所有实数",): "R", ("全体实数",): "R", ("实数集",): "R",
    ("all", "real", "values"): "R",
    ("integers",): "Z", ("all", "integers"): "Z", ("the", "integers"): "Z", ("整数",): "Z",
    ("the", "set", "of", "real", "numbers"): "R",
}  # fmt: skip
_NOTHING = {("empty", "set"), ("the", "empty", "set"), ("空集",)}
_SAME_WORDS = {
    ("no", "solutions"): ("no", "solution"), ("there", "is", "no", "solution"): ("no", "solution"),
    ("no", "real", "solutions"): ("no", "real", "solution"), ("无解",): ("no", "solution"),
    ("dne",): ("does", "not", "exist"),
    ("不存在",): ("does", "not", "exist"), ("doesn't", "exist"): ("does", "not", "exist"),
    ("undefined",): ("undefined",),
}  # fmt: skip
_COUNTED = "first second third fourth fifth sixth seventh eighth ninth tenth"
_ORDINALS = {word: place + 1 for place, word in enumerate(_COUNTED.split())}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_JOINING = frozenset(("and", "or", "和", "或"))
_VERBS = frozenset(("is", "are"))
_ARTICLES = frozenset(("the", "a", "an"))
_NO_NAMES = HEDGES | words_of("exactly only just USD EUR GBP CNY RMB INR ¥ € £ ₹ ¢")
_SIGNS = words_of("negative minus positive plus 负 正")
_VERBS_OF_CONDITIONS = frozenset(("for", "where", "when", "if"))


def domain(tokens: list[Token]) -> Shape | None:
    r"""A named set of numbers (`\mathbb{R}`, all real numbers), or the empty set in words."""
    texts = [token.text for token in tokens if token.text not in "{}"]
    if not texts:
        return None
    if texts[0] in (r"\mathbb", r"\Bbb", r"\mathbf") and len(texts) >= 2 and texts[1] in tuple("RZNQC"):
        rest = "".join(texts[2:])
        return (
            Domain(texts[1] + rest) if rest in ("", "^+", "_+", "^*", "+", "^-", "_-") or rest.startswith("^") else None
        )
    folded = tuple(text.lower() for text in texts)
    if folded in _NOTHING:
        return Listed("set", ())
    if folded in (("infinity",), ("positive", "infinity"), ("正无穷",)):
        return Infinite(1)
    return Domain(_DOMAINS[folded]) if folded in _DOMAINS else None


def words(tokens: list[Token]) -> Shape | None:
    """Words with the numbers among them, where the first token is a word; None for anything with signs in it."""
    if len(tokens) == 1 and tokens[0].kind == "run" and _is_label(tokens[0].text):
        return Words((tokens[0].text,), label=True)
    first = tokens[0]
    if len(tokens) == 1 and first.text.lower() in _ORDINALS:
        return Quantity(number(_ORDINALS[first.text.lower()]), Unit(qualifiers=("th",)))
    value = spelled([token.text.lower() for place, token in enumerate(tokens) if not (place and token.text == "-")])
    if value is not None:
        return Quantity(number(value))
    if first.kind != "word" or first.text in _NO_NAMES or first.text.lower() in _NO_NAMES:
        return None
    if len(tokens) > 1 and tokens[1].kind == "num" and first.text.lower() in _SIGNS:
        return None
    article = first.text == "a" and len(tokens) > 1 and tokens[1].kind == "word" and len(tokens[1].text) > 1
    if len(tokens) > 1 and len(first.text) == 1 and first.text.isascii() and not article:
        return None
    if any(not _wordlike(token) for token in tokens):
        return None
    lowered = [token.text.lower() for token in tokens]
    if _VERBS_OF_CONDITIONS & set(lowered) or (first.text in MULTIPLES and len(tokens) > 1):
        return None
    if _JOINING & set(lowered) and not _VERBS & set(lowered):
        return None  # a list of names
    return Words(_folded(tokens))


def _is_label(text: str) -> bool:
    """Whether letters alone may name something, or be a short word (AB, CAB, red), though they may be a product too."""
    return len(text) > 1 and (text.isupper() or len(text) > 2)


def _wordlike(token: Token) -> bool:
    return token.kind in ("word", "num", "run") or token.text in ("-", "'", ".", "!", "?", '"')


def _is_mark(tokens: list[Token], place: int) -> bool:
    """Whether a mark stands behind a word, not at a number, whose sign or factorial it would be."""
    token = tokens[place]
    if token.kind != "sym" or token.text not in ".!?\"'-":
        return False
    return place > 0 and all(near.kind == "word" for near in tokens[place - 1 : place + 2] if near is not token)


def _folded(tokens: list[Token]) -> tuple[str, ...]:
    """Lower case for words, as written for letters of formulas; articles and final marks do not count."""
    kept = [token for place, token in enumerate(tokens) if not _is_mark(tokens, place)]
    out = [token.text if token.kind == "run" else token.text.lower() for token in kept]
    bare = tuple(one for one in out if one not in _ARTICLES) or tuple(out)
    bare = tuple(SAME.get(one, one) for one in bare)
    return _SAME_WORDS.get(bare) or _quadrant(bare) or bare


def _quadrant(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """`second quadrant`, `2nd quadrant`, `Quadrant II`, 第二象限 in one spelling."""
    if len(words) == 1 and words[0][:1] == "第" and words[0][2:] == "象限":
        return ("quadrant", str("一二三四".find(words[0][1]) + 1))
    if "quadrant" not in words or len(words) not in (2, 3):
        return None
    which = next(word for word in words if word != "quadrant").lower()
    number = _ORDINALS.get(which) or _ROMAN.get(which) or (int(which) if which.isdigit() and len(which) == 1 else 0)
    return ("quadrant", str(number)) if number in range(1, 5) else None
