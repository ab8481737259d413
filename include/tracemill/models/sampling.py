"""How a model is sampled. Every field is part of what is asked, so every field is in the sample store's key."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

_OWN = {"model", "messages", "prompt", "stream", "n", "seed", "temperature", "top_p", "top_k", "min_p", "max_tokens"}


class Sampling(BaseModel):
    """Sampling settings, sent in full so that a server's own defaults never decide.

    Defaults are those DeepSeek recommends for R1 and its distilled models (temperature 0.6, top-p 0.95, 32,768 tokens;
    deepseek-ai/DeepSeek-R1 README, "Usage Recommendations"). `repetition_penalty` 1 is sent as vLLM would else take the
    one of the model's generation_config. `max_tokens` null leaves the rest of the context to the answer.

    `chat_template_kwargs` and `reasoning_effort` tell a model that can do both whether to think; `repetition_detection`
    ends loops at the server (vLLM 0.32: {"max_pattern_size": ..., "min_count": ...}); `extra_body` is for fields that
    have no name here. What is left at its default is not sent, so it changes no key of a paid answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    temperature: Annotated[float, Field(ge=0)] = 0.6  # 0 is greedy
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95  # the share of probability that is drawn from
    top_k: Annotated[int, Field(ge=1)] | None = None  # only so many likeliest tokens
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0  # of the likeliest token's probability
    repetition_penalty: Annotated[float, Field(gt=0)] = 1.0
    max_tokens: Annotated[int, Field(ge=1)] | None = 32768
    seed: int = 0  # with prompt and sample it seeds each request
    stop: tuple[str, ...] = ()  # texts that end an answer
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0  # against tokens that were said
    reasoning_effort: str | None = None
    thinking_token_budget: Annotated[int, Field(ge=1)] | None = None  # tokens of thought; null: no bound
    chat_template_kwargs: dict[str, Any] = {}
    repetition_detection: dict[str, Any] | None = None
    extra_body: dict[str, Any] = {}

    @model_validator(mode="after")
    def _extra_adds_and_does_not_replace(self) -> Sampling:
        known = sorted(_OWN & self.extra_body.keys())
        if known:
            raise ValueError(
                f"extra_body names {', '.join(known)}: use the field of that name, or leave it to the step"
            )
        return self

    def body(self, prompt: str, sample: int) -> dict[str, Any]:
        """The fields of an OpenAI-compatible request; the seed differs by prompt and sample and is always the same."""
        body: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "repetition_penalty": self.repetition_penalty,
            "seed": seed_of(prompt, self.seed, sample),
        }
        optional = {
            "top_k": self.top_k,
            "min_p": self.min_p or None,
            "max_tokens": self.max_tokens,
            "stop": list(self.stop) or None,
            "presence_penalty": self.presence_penalty or None,
            "reasoning_effort": self.reasoning_effort,
            "thinking_token_budget": self.thinking_token_budget,
            "chat_template_kwargs": self.chat_template_kwargs or None,
            "repetition_detection": self.repetition_detection,
        }
        return body | {name: value for name, value in optional.items() if value is not None} | self.extra_body

    @property
    def idle(self) -> frozenset[str]:
        """The fields of a body that nobody wrote into a recipe and that change nothing but at an engine: a penalty of
        one, and a seed, without which an answer is only not repeatable.
        """
        idle = {"seed": self.seed == 0, "repetition_penalty": self.repetition_penalty == 1}
        return frozenset(name for name, says_nothing in idle.items() if says_nothing) - self.model_fields_set


GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=512)


def seed_of(prompt: str, seed: int, sample: int) -> int:
    """A seed in [0, 2**31) for one sample of one prompt; different prompts do not share random numbers."""
    digest = hashlib.sha256(f"{seed}\n{sample}\n".encode() + prompt.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") >> 1
