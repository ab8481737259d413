"""The ways in which one teacher is asked beside its own: how much it thinks, by which system prompt, how warm."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.models.sampling import Sampling

# What chat templates call their switch: Qwen3 and GLM-4.5 say enable_thinking, DeepSeek-V3.1 and Granite thinking. A
# template ignores a name that it does not know.
_SWITCHES = ("enable_thinking", "thinking")


class Mode(BaseModel):
    """A named way of asking a teacher; what it leaves out is as the teacher's own settings say.

    `thinking` turns the chat template's switch, `reasoning_effort` and `thinking_token_budget` (tokens) say how much,
    `system` replaces the teacher's system prompt ("" for none), `temperature` its temperature.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    thinking: bool | None = None
    reasoning_effort: str | None = None
    thinking_token_budget: Annotated[int, Field(ge=1)] | None = None
    system: str | None = None
    temperature: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError(
                "a mode that changes nothing: set thinking, reasoning_effort, thinking_token_budget, system or "
                "temperature, or leave the mode out"
            )
        return self

    def sampled(self, sampling: Sampling) -> Sampling:
        """The teacher's sampling in this mode."""
        own = ("reasoning_effort", "thinking_token_budget", "temperature")
        changed: dict[str, Any] = {name: value for name in own if (value := getattr(self, name)) is not None}
        if self.thinking is not None:
            switched = dict.fromkeys(_SWITCHES, self.thinking)
            changed["chat_template_kwargs"] = {**sampling.chat_template_kwargs, **switched}
        return sampling.model_copy(update=changed)
