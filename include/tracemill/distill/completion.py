"""A teacher without a chat template, or with one that must not be used: the recipe gives the whole prompt."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from tracemill.distill.teacher import Assignment, Teacher, seeded
from tracemill.models.request import Ask


class CompletionTeacher(Teacher):
    """Asks through /v1/completions with `template`, in which {prompt} stands for the problem and its directive.

    DeepSeek-R1's own form is "<｜begin▁of▁sentence｜><｜User｜>{prompt}<｜Assistant｜>". The template is the whole
    prompt: the tokenizer adds nothing to it, or there would be two beginnings, unless `add_special_tokens` says so.
    """

    kind: Literal["completion"] = "completion"
    template: Annotated[str, Field(pattern=r"\{prompt\}")] = "{prompt}"
    add_special_tokens: bool = False

    @model_validator(mode="after")
    def _modes_can_be_said(self) -> Self:
        for name, mode in self.modes.items():
            if (mode.system, mode.thinking, mode.reasoning_effort) != (None, None, None):
                raise ValueError(
                    f"modes.{name}: system, thinking and reasoning_effort go through a chat template, and a completion "
                    "has none: use a teacher of kind chat, or one teacher a template"
                )
        return self

    def ask(self, assignment: Assignment, sample: int) -> Ask:
        """One request; of several turns the human ones are asked together, as the problem's text has them."""
        text = "\n".join(part for part in (assignment.prompt, self.directive(assignment.category)) if part)
        prompt = self.template.replace("{prompt}", text) + self.prefix
        body: dict[str, Any] = {"prompt": prompt, "add_special_tokens": self.add_special_tokens}
        body |= seeded(self.sampling, assignment, sample)
        idle = self.sampling.idle | ({"add_special_tokens"} - self.model_fields_set)
        keeps = self.continue_to is not None
        return Ask("/v1/completions", body, sample, keeps, idle=idle, logprobs=self.logprobs)

    def _continuation(self, asked: Ask, begun: str, tokens: int) -> Ask:
        prompt = str(asked.body["prompt"]).removesuffix(self.prefix) + begun
        return Ask("/v1/completions", {**asked.body, "prompt": prompt, "max_tokens": tokens})
