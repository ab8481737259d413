"""A teacher behind a chat template: everything is in the user turn, as DeepSeek asks for its reasoning models."""

from __future__ import annotations

from typing import Literal, Self

from tracemill.distill.modes import Mode
from tracemill.distill.teacher import Assignment, Teacher, seeded
from tracemill.models.continuation import BEGUN
from tracemill.models.request import Ask


class ChatTeacher(Teacher):
    """Asks through /v1/chat/completions. `system` is empty by default: R1's makers advise against a system prompt."""

    kind: Literal["chat"] = "chat"
    system: str | None = None

    def in_mode(self, mode: Mode) -> Self:
        """This teacher with the mode's sampling and system prompt."""
        changed = super().in_mode(mode)
        return changed if mode.system is None else changed.model_copy(update={"system": mode.system or None})

    def ask(self, assignment: Assignment, sample: int) -> Ask:
        """One request; turns are sent as they are, system turns too; the directive goes to the last user turn."""
        turns = [dict(turn) for turn in assignment.messages or ({"role": "user", "content": assignment.prompt},)]
        directive = self.directive(assignment.category)
        if directive and turns[-1]["role"] == "user":
            turns[-1]["content"] = f"{turns[-1]['content']}\n{directive}"
        if self.system and turns[0]["role"] == "system":  # two system turns: many templates keep only one of them
            turns[0]["content"] = f"{self.system}\n\n{turns[0]['content']}"
        elif self.system:
            turns.insert(0, {"role": "system", "content": self.system})
        body = {"messages": turns, **seeded(self.sampling, assignment, sample)}
        if self.prefix:
            turns.append({"role": "assistant", "content": self.prefix})
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        keeps = self.continue_to is not None
        return Ask("/v1/chat/completions", body, sample, keeps, idle=self.sampling.idle, logprobs=self.logprobs)

    def _continuation(self, asked: Ask, begun: str, tokens: int) -> Ask:
        skipped = ("continue_final_message", "add_generation_prompt", "messages")
        body = {name: value for name, value in asked.body.items() if name not in skipped}
        turns = asked.body["messages"][:-1] if self.prefix else asked.body["messages"]
        return Ask("/v1/completions", {**body, "messages": turns, BEGUN: begun, "max_tokens": tokens})
