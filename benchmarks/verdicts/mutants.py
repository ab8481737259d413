"""Makes wrong answers out of right ones, one part changed at a time, and the same answer in other frames."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

Pair = tuple[str, str]

_NUMBER = re.compile(r"(?<![\d.,{])\d+(?![\d.,])|(?<=\{)\d+(?=\})")
_LETTER = re.compile(r"(?<![\\A-Za-z{])([a-z])(?![A-Za-z])")
_UNITS = (("cm", "km"), ("apples", "pears"), ("hours", "minutes"), ("dollars", "cents"), ("m/s", "km/h"), ("kg", "g"))
_QUALIFIERS = (("north", "south"), ("profit", "loss"), ("AM", "PM"), ("more", "less"), ("upstream", "downstream"))
_MULTIPLES = ("million", "hundred", "dozen")


def mutants(reference: str) -> Iterator[Pair]:
    """Pairs of a reference and another answer that differs in one part."""
    for maker in (_numbers, _signs, _factors, _exponents, _units, _marks, _parts, _letters):
        for gold, mutant in maker(reference):
            if "".join(gold.split()) != "".join(mutant.split()):
                yield gold, mutant


def _is_value(text: str) -> bool:
    plain = not re.search(r"\\(?:text|mbox|begin|cup|in|pm|circ|infty|%)|[,=<>&%]|\\\$|_", text)
    return plain and text.strip("-") not in ("0", "1")


def _numbers(text: str) -> Iterator[Pair]:
    for found in _NUMBER.finditer(text):
        yield text, f"{text[: found.start()]}{int(found[0]) + 1}{text[found.end() :]}"


def _signs(text: str) -> Iterator[Pair]:
    if _is_value(text):
        yield text, f"-({text})"
    for found in re.finditer(r"(?<=[\w)}] )[+-](?= )|(?<=[\w)}])[+-](?=[\w\\])", text):
        yield text, text[: found.start()] + ("-" if found[0] == "+" else "+") + text[found.end() :]


def _factors(text: str) -> Iterator[Pair]:
    if _is_value(text):
        yield text, rf"({text})\sqrt{{3}}"
        yield text, rf"3({text})"
        yield text, rf"\frac{{{text}}}{{2}}"
        yield from ((text, rf"{text} \text{{ {word}}}") for word in _MULTIPLES)


def _exponents(text: str) -> Iterator[Pair]:
    if _is_value(text):
        yield text, f"({text})^3"
        yield text, f"2^{{{text}}}"


def _units(text: str) -> Iterator[Pair]:
    if _is_value(text):
        for one, other in _UNITS + _QUALIFIERS:
            yield rf"{text} \text{{ {one}}}", rf"{text} \text{{ {other}}}"
        yield rf"{text} \text{{ north}}", text
        yield rf"{text} \text{{ million}}", text


def _marks(text: str) -> Iterator[Pair]:
    if text.isdigit() and text != "0":
        yield f"{text}_{{9}}", f"{text}_{{11}}"
        yield rf"{text} \pmod{{13}}", rf"{text} \pmod{{17}}"
        yield rf"x \equiv {text} \pmod{{3}}", rf"x \equiv {text} \pmod{{5}}"
        yield f"x > {text}", rf"x \ge {text}"
        yield f"x < {text}", f"x > {text}"
        yield f"f'({text})", f"f({text})"
        yield f"({text}, {int(text) + 2}]", f"({text}, {int(text) + 2})"
        yield rf"{text}^\circ \text{{C}}", rf"{text}^\circ \text{{F}}"
        yield rf"{text} \text{{ if }} n \text{{ is even}}", rf"{text} \text{{ if }} n \text{{ is odd}}"
        yield f"0.{text}", rf"0.\overline{{{text}}}"
    if "^" in text:
        yield text, re.sub(r"\^\{?\d\}?", "", text, count=1)


def _parts(text: str) -> Iterator[Pair]:
    if "," in text and text[0] in "([" and "cup" not in text and r"\frac" not in text:
        inner = re.sub(r"[\[\]()]", "", text).split(",")
        yield text, f"{text[0]}{','.join(reversed(inner))}{text[-1]}"
        yield text, f"{text[0]}{','.join(inner[:-1])}{text[-1]}"
        yield text, inner[-1]
    elif "," in text and not re.search(r"[(){\[]", text):
        yield text, text.rpartition(",")[0]
    terms = re.split(r" [+-] ", text)
    if len(terms) > 1 and not re.search(r"[,(=]|begin", text):
        yield text, re.sub(r" [+-] [^+-]*$", "", text)


def _letters(text: str) -> Iterator[Pair]:
    found = _LETTER.search(text)
    if found and not re.search(r"\\(?:text|mbox|begin)", text):
        yield text, text[: found.start()] + found[1].upper() + text[found.end() :]


FRAMES = (
    r"So we get $\boxed{ANSWER}$.",
    r"So we get \fbox{ANSWER}",
    r"\[\boxed{ANSWER}\]",
    r"$$\boxed{ANSWER}$$" + "\n\nThis agrees with the check above.",
    r"The value is \boxed{ANSWER}",
    "The answer is $ANSWER$.",
    "**Final Answer**\n\n$ANSWER$",
    "Answer: $ANSWER$",
    "Some work.\n\n**Answer:** $ANSWER$",
    "<answer>$ANSWER$</answer>",
    "所以答案是$ANSWER$。",
    "故答案为：$ANSWER$",
    "## Final Answer\n\\[ANSWER\\]",
    "Thus the final answer is \\(ANSWER\\). I hope it is correct.",
    "We add them up.\n#### ANSWER",
)

_PIECES = r"""
\frac \sqrt \sqrt[3] { } { } ( ) [ ] ^ _ + - * / = < > , ; : . ! | \{ \} \text{ \pi \infty \cup \in \pm \sin \log_2
x y n AB 1 2 10 0.5 99999999 1,000 ½ √ ° % $ \$ and or cm hours \begin{pmatrix} \end{pmatrix} & \\ \overline{3} \binom
\boxed{ 三 元 \left( \right) mod \pmod{7} ' e i 9^9^9 (10^9)! \lfloor \rfloor \ldots \equiv if k\in\mathbb{Z} 12:30 am
2024-01-02 (A) A. Yes no
"""
_BITS = _PIECES.split()


def noise(seed: int) -> str:
    """A random text of an answer's pieces."""
    chance = random.Random(seed)
    return chance.choice(("", " ")).join(chance.choice(_BITS) for _ in range(chance.randint(1, 40)))
