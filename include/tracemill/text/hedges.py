r"""Spells what makes a statement a rough one ("5 or so", "~5", "5 左右") in one way: `\approx` before it.

Words before a number ("about 5") stay words: the reader of quantities knows them (`HEDGES`).
"""

from __future__ import annotations

import re

from tracemill.text.symbols import words_of

HEDGES = words_of(
    "about approximately approx roughly around nearly almost circa ca close estimated "
    "约 大约 约为 大约是 大约为 约是 大概 大概是 近似 近似为 近似于 约等于 接近 差不多"
)
_REACH = 60  # characters before a value
_MARK = r"[⟦⟧\s]*"
_TILDE = re.compile(r"^([\s$({\\]*(?:\\[(\[]\s*)?)~\s*(?=[\d.\\$-])")
_BEHIND = re.compile(
    rf"^(?P<said>[^\n]*?){_MARK},?{_MARK}(?:左右|上下|or{_MARK}so|more{_MARK}or{_MARK}less|give{_MARK}or{_MARK}take"
    rf"|approximately|roughly|approx\.?|\(?{_MARK}(?:approximately|approx\.?|rounded|estimated?){_MARK}\)?){_MARK}\.?{_MARK}$",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"^{_MARK}(?:some(?:where|thing){_MARK}(?:around|near|like|about)|close{_MARK}to|in{_MARK}the{_MARK}\w+{_MARK}of"
    rf"|more{_MARK}or{_MARK}less|just{_MARK}about|(?:an{_MARK})?estimated|approx\.|ca\.){_MARK}",
    re.IGNORECASE,
)


_JUST_BEFORE = re.compile(
    r"(?:\b(?:about|approximately|approx\.?|roughly|around|nearly|almost|circa|close to)(?:\s+equals?(?:\s+to)?)?"
    r"|≈|\\(?:approx|sim|simeq)(?![a-z])|约(?:为|是|等于)?|大概(?:是|为)?|近似(?:为|于)?|接近)(?:[\s$*(\[]|\\[(\[])*$",
    re.IGNORECASE,
)


def ends_rough(before: str) -> bool:
    """Whether what stands before a value makes it a rough one: "it is roughly", `x \\approx`, 大约是."""
    return _JUST_BEFORE.search(before[-_REACH:]) is not None


def with_tilde(text: str) -> str:
    r"""A mark of "about" at the head of a text as `\approx`; elsewhere LaTeX's `~` is a blank."""
    return _TILDE.sub(r"\1\\approx ", text)


def hedged(text: str) -> str:
    r"""The text with `\approx` before it where words before or behind it make it a rough statement."""
    behind = _BEHIND.match(text)
    if behind and behind["said"].strip("⟦⟧ \t"):
        return rf"\approx {behind['said'].strip()}"
    before = _BEFORE.match(text)
    return rf"\approx {text[before.end() :]}" if before else text
