"""What asking a model costs, as the recipe says: tokens of a hosted one, hours of the devices that serve another."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Price(BaseModel):
    """What a million tokens cost; both may be zero, as of a free endpoint. `currency` is only a word for reports."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    input: Annotated[float, Field(ge=0)]  # a million tokens in
    output: Annotated[float, Field(ge=0)]  # a million tokens out
    currency: str = "USD"

    @property
    def is_any(self) -> bool:
        """Whether anything costs at all."""
        return self.input + self.output > 0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """The money for so many tokens."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


class GpuPrice(BaseModel):
    """`gpu_hour`: what an hour of one GPU costs, or of one processor where a server computes on those.

    `currency` is only a word for reports.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    gpu_hour: float
    currency: str = "USD"

    @field_validator("gpu_hour")
    @classmethod
    def _costs_something(cls, hour: float) -> float:
        if not 0 < hour < float("inf"):
            raise ValueError("gpu_hour must be above zero: leave `price` out where nobody knows what an hour costs")
        return hour

    def of(self, device_seconds: float) -> float:
        """The money for so many device-seconds."""
        return device_seconds / 3600 * self.gpu_hour
