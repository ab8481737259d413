"""Splits a response into its chain of thought and its answer, in every style that open datasets and servers use, and
guarantees that a split loses nothing: `rebuilt` of the parts is the text, or the text itself is kept as `raw`.

styles  "am"        <think>T</think>\\n<answer>A</answer>       the strict template of AM-DeepSeek-R1-Distilled
        "r1"        <think>T</think>A                          DeepSeek-R1 itself
        "open_am"   T</think>\\n<answer>A</answer>              a chat template already wrote the opening tag
        "open_r1"   T</think>A
        "thought"   <|begin_of_thought|>..<|begin_of_solution|>..   OpenThoughts, Bespoke-Stratos
        "parts"     chain and answer came in two columns (or as `reasoning_content` of a server)
        "unclosed"  <think>T                                   the chain never ended; there is no answer
        "none"      A                                          no tag at all; kept as `raw` too
        "broken"    tags in no known order; kept as `raw`, `answer` is what follows the last tag that ends a chain
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Style = Literal["am", "r1", "open_am", "open_r1", "thought", "parts", "unclosed", "none", "broken"]
STYLES: tuple[Style, ...] = get_args(Style)

OPEN, CLOSE = "<think>", "</think>"
ANSWER, ANSWER_END = "<answer>", "</answer>"
_FRAMES: dict[str, tuple[str, str, str]] = {
    "am": (OPEN, f"{CLOSE}\n{ANSWER}", ANSWER_END),
    "r1": (OPEN, CLOSE, ""),
    "open_am": ("", f"{CLOSE}\n{ANSWER}", ANSWER_END),
    "open_r1": ("", CLOSE, ""),
    "parts": (OPEN, CLOSE, ""),
    "thought": (
        "<|begin_of_thought|>\n\n",
        "\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n",
        "\n\n<|end_of_solution|>",
    ),
}
_ANSWER = re.compile(r"\s*<answer>(.*)</answer>\s*\Z", re.DOTALL)
_THOUGHT = re.compile(
    r"\s*<\|begin_of_thought\|>(.*)<\|end_of_thought\|>\s*<\|begin_of_solution\|>(.*)<\|end_of_solution\|>\s*\Z",
    re.DOTALL,
)
_TAG = re.compile(r"</?think>|</?answer>|<\|(?:begin|end)_of_(?:thought|solution)\|>")
_END_OF_CHAIN = re.compile(r"</think>|<\|end_of_thought\|>")


@dataclass(frozen=True)
class Split:
    """A response in parts. `raw` is null exactly when `rebuilt(style, think, answer)` is the response."""

    style: Style
    think: str | None
    answer: str | None
    raw: str | None


def split(text: str) -> Split:
    """Split one response; total over all texts, and linear in their length."""
    style, think, answer = _parts(text)
    lossless = style not in ("none", "broken") and rebuilt(style, think, answer) == text
    return Split(style, think, answer, None if lossless else text)


def joined(thinking: str, answer: str) -> Split:
    """The split of a response whose chain and answer were already apart."""
    return Split("parts", thinking, answer, None)


def rebuilt(style: str, think: str | None, answer: str | None) -> str:
    """The response again from its parts. Only for rows without `raw`; raises KeyError for styles that keep it."""
    if style == "unclosed":
        return OPEN + (think or "")
    before, between, after = _FRAMES[style]
    return f"{before}{think or ''}{between}{answer or ''}{after}"


def _parts(text: str) -> tuple[Style, str | None, str | None]:
    tags = _TAG.findall(text)
    if not tags:
        return "none", None, text
    if "<|begin_of_thought|>" in tags:
        return _thought(text, tags)
    opens, closes = tags.count(OPEN), tags.count(CLOSE)
    before, opened, body = text.partition(OPEN)
    if opens > 1 or closes > 1 or (opened and before.strip()):
        return _broken(text)
    if closes == 0:
        return _without_end(body, tags) if opened else _broken(text)
    think, _, rest = (body if opened else text).partition(CLOSE)
    if OPEN in rest or ANSWER in think:
        return _broken(text)
    return _answered(text, bool(opened), think, rest)


def _answered(text: str, opened: bool, think: str, rest: str) -> tuple[Style, str | None, str | None]:
    framed = _ANSWER.match(rest)
    if framed and rest.count(ANSWER) == 1 == rest.count(ANSWER_END):
        return "am" if opened else "open_am", think, framed[1]
    if rest.lstrip().startswith(ANSWER) or rest.rstrip().endswith(ANSWER_END):
        return _broken(text)
    return "r1" if opened else "open_r1", think, rest


def _without_end(body: str, tags: list[str]) -> tuple[Style, str | None, str | None]:
    if ANSWER in tags or ANSWER_END in tags:
        return _broken(body)
    return "unclosed", body, None


def _thought(text: str, tags: list[str]) -> tuple[Style, str | None, str | None]:
    framed = _THOUGHT.match(text) if len(tags) == 4 else None  # with more tags the pattern would take quadratic time
    if framed is None:
        return _broken(text)
    if text == rebuilt("thought", framed[1][2:-2], framed[2][2:-2]):
        return "thought", framed[1][2:-2], framed[2][2:-2]
    return "thought", framed[1], framed[2]


def _broken(text: str) -> tuple[Style, str | None, str | None]:
    answer = _END_OF_CHAIN.split(text)[-1]
    return "broken", None, _TAG.sub("", answer)
