"""How a model is sampled. Every field is part of what is asked, so every field is in the sample store's key."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Sampling(BaseModel):
    """Sampling settings, sent in full so that a server's own defaults never decide.

    Defaults are those DeepSeek recommends for R1 and its distilled models (temperature 0.6, top-p 0.95, 32,768 tokens;
    deepseek-ai/DeepSeek-R1 README, "Usage Recommendations"). `repetition_penalty` 1 is sent as vLLM would else take the
    one of the model's generation_config. `max_tokens` null leaves the rest of the context to the answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    temperature: Annotated[float, Field(ge=0)] = 0.6
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    top_k: Annotated[int, Field(ge=1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] = 0.0
    repetition_penalty: Annotated[float, Field(gt=0)] = 1.0
    max_tokens: Annotated[int, Field(ge=1)] | None = 32768
    seed: int = 0

    def body(self, prompt: str, sample: int) -> dict[str, Any]:
        """The fields of an OpenAI-compatible request; the seed differs by prompt and sample and is always the same."""
        body: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "repetition_penalty": self.repetition_penalty,
            "seed": seed_of(prompt, self.seed, sample),
        }
        optional = {"top_k": self.top_k, "min_p": self.min_p or None, "max_tokens": self.max_tokens}
        return body | {name: value for name, value in optional.items() if value is not None}


GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=512)


def seed_of(prompt: str, seed: int, sample: int) -> int:
    """A seed in [0, 2**31) for one sample of one prompt; different prompts do not share random numbers."""
    digest = hashlib.sha256(f"{seed}\n{sample}\n".encode() + prompt.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") >> 1
