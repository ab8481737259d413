"""Makes of a row what a trainer makes of it: the messages that its template renders, and where the loss begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tracemill.release.layout import response_text
from tracemill.release.trainers.spoken import Spoken

# What is in the loss: the completion alone, or whatever the template marks as the assistant's.
Loss = Literal["completion", "assistant"]
Message = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """One row as trl 1.16 reads it. `prompt`: how many of the messages are the prompt; None in conversations."""

    messages: Sequence[Message]
    prompt: int | None

    @property
    def loss(self) -> Loss:
        """trl puts the loss on completions where there are any; conversations need `assistant_only_loss`."""
        return "assistant" if self.prompt is None else "completion"


def example(row: Mapping[str, Any]) -> Example:
    """A row of any layout as trl's SFTTrainer takes it (`maybe_convert_to_chatml`: `from` and `value` are renamed)."""
    if "prompt" in row:  # a null column is no turns: the proof says so of the row
        prompt = row["prompt"] or []
        return Example([*prompt, *(row["completion"] or [])], len(prompt))
    turns = row["messages"] if "messages" in row else row["conversations"]
    return Example([_renamed(turn) for turn in turns or []], None)


def _renamed(turn: Message) -> Message:
    if "from" not in turn:
        return turn
    return {"role": turn["from"], "content": turn["value"], "info": turn["info"]}


def standing_in(given: Example, said: Spoken, names: Sequence[str]) -> Example | None:
    """The example with its words replaced by `names` (each earlier turn's, the thinking's, the answer's).

    None when the row's words are not where its layout has them: then nothing is known of it from rows of its shape.
    """
    *earlier, think, answer = names
    *before, last = given.messages
    if [turn["content"] for turn in before] != [text for _, text in said.earlier[-len(before) :] if before]:
        return None
    swapped = _response(last, said, think, answer)
    if swapped is None:
        return None
    shown = names[len(earlier) - len(before) : len(earlier)]
    turns = [{**turn, "content": name} for turn, name in zip(before, shown, strict=True)]
    return Example([*turns, swapped], given.prompt)


def _response(last: Message, said: Spoken, think: str, answer: str) -> Message | None:
    for field in ("reasoning_content", "thinking"):
        if field in last:
            whole = (last[field], last["content"]) == (said.think, said.answer)
            return {**last, field: think, "content": answer} if whole else None
    if last["content"] != response_text(said.think or "", said.answer or ""):
        return None
    return {**last, "content": response_text(think, answer)}
