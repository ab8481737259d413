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

End tokens that a server left behind the text are cut off (and the whole text is kept as `raw`). A chain that talks
about tags is not broken: tags in quotes, in code and in balanced nesting do not count, nor does `<answer>` within a
chain; where an answer frame closes the text, the chain ends at the last `</think>` before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from tracemill.text.end_tokens import without_end_tokens
from tracemill.text.tags import Tag, outside_code, outside_quoted_pairs, outside_quotes, tags

Style = Literal["am", "r1", "open_am", "open_r1", "thought", "parts", "unclosed", "none", "broken"]
STYLES: tuple[Style, ...] = get_args(Style)

OPEN = "<think>"
CLOSE = "</think>"
ANSWER = "<answer>"
ANSWER_END = "</answer>"
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
_MOST_TAGS = 2000  # that a chain may talk about; beyond, a text is broken without a closer look
_FRAME = re.compile(r"\s*<answer>")
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
    style, think, answer = _parts(without_end_tokens(text))
    lossless = style not in ("none", "broken") and rebuilt(style, think, answer) == text
    return Split(style, think, answer, None if lossless else text)


def joined(thinking: str, answer: str) -> Split:
    """The split of a response whose chain and answer were already apart."""
    whole = without_end_tokens(answer)
    return Split("parts", thinking, whole, None if whole == answer else rebuilt("parts", thinking, answer))


def rebuilt(style: str, think: str | None, answer: str | None) -> str:
    """The response again from its parts. Only for rows without `raw`; raises KeyError for styles that keep it."""
    if style == "unclosed":
        return OPEN + (think or "")
    before, between, after = _FRAMES[style]
    return f"{before}{think or ''}{between}{answer or ''}{after}"


Parts = tuple[Style, str | None, str | None]


def _parts(text: str) -> Parts:
    found = tags(text)
    if not found:
        return "none", None, text
    published = [tag.name for tag in found if tag.name.startswith("<|")]
    if "<|begin_of_thought|>" in published:
        return _thought(text, published)
    for own in (outside_quotes, outside_quoted_pairs, outside_code) if len(found) <= _MOST_TAGS else ():
        if parts := _framed(text, own(text, found)):
            return parts
    return _broken(text)


def _framed(text: str, found: list[Tag]) -> Parts | None:
    """The parts by these tags; None where they are in no known order."""
    thinking = [tag for tag in found if tag.name in (OPEN, CLOSE)]
    if not thinking:
        return None if found else ("none", None, text)
    opened = thinking[0].name == OPEN and not text[: thinking[0].start].strip()
    start = thinking[0].end if opened else 0
    inner = thinking[1:] if opened else thinking
    if not any(tag.name == CLOSE for tag in inner):
        answered = any(tag.name == ANSWER_END for tag in found)
        return ("unclosed", text[start:], None) if opened and not inner and not answered else None
    end = _end_of_chain(text, inner)
    if end is None:
        return None
    behind = [tag for tag in found if tag.start >= end.end]
    return _answered(text[end.end :], opened, text[start : end.start], [tag.name for tag in behind])


def _end_of_chain(text: str, inner: list[Tag]) -> Tag | None:
    """The tag that ends the chain: the last before the answer frame, else the one that balances the opening."""
    closing = [tag for tag in inner if tag.name == CLOSE]
    if text.rstrip().endswith(ANSWER_END):
        before_frame = [tag for tag in closing if _FRAME.match(text, tag.end)]
        if before_frame:
            return None if _opens_again(inner[: inner.index(before_frame[-1])]) else before_frame[-1]
    depth = 1
    for tag in inner:
        depth += 1 if tag.name == OPEN else -1
        if depth == 0:
            return tag
    last = inner[-1]  # more openings than ends: a real end stands at the edge of a line
    own_line = text[last.start - 1 : last.start] == "\n" or text[last.end : last.end + 1] == "\n"
    return last if last.name == CLOSE and own_line else None


def _opens_again(inner: list[Tag]) -> bool:
    """Whether a second chain begins after the first has ended."""
    depth = 1
    for tag in inner:
        if tag.name == OPEN and depth <= 0:
            return True
        depth += 1 if tag.name == OPEN else -1
    return False


def _answered(rest: str, opened: bool, think: str, behind: list[str]) -> Parts | None:
    """The parts with what stands behind the chain, whose tags are `behind`."""
    if OPEN in behind or CLOSE in behind:
        return None
    framed = _ANSWER.match(rest)
    if framed and behind.count(ANSWER) == 1 == behind.count(ANSWER_END):
        return "am" if opened else "open_am", think, framed[1]
    if rest.lstrip().startswith(ANSWER) or rest.rstrip().endswith(ANSWER_END):
        return None
    return "r1" if opened else "open_r1", think, rest


def _thought(text: str, names: list[str]) -> Parts:
    framed = _THOUGHT.match(text) if len(names) == 4 else None  # with more tags the pattern would take quadratic time
    if framed is None:
        return _broken(text)
    if text == rebuilt("thought", framed[1][2:-2], framed[2][2:-2]):
        return "thought", framed[1][2:-2], framed[2][2:-2]
    return "thought", framed[1], framed[2]


def _broken(text: str) -> Parts:
    answer = _END_OF_CHAIN.split(text)[-1]
    return "broken", None, _TAG.sub("", answer)
