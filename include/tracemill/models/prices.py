"""What asking a model costs, as the recipe says: tokens of a hosted one, hours of the devices that serve another."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

_LEAST = 1e-3  # for a million tokens: nobody asks less but nothing; a token of the dearest models costs less

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Price(BaseModel):
    """What a million tokens cost; both may be zero, as of a free endpoint. `currency` is only a word for reports.

    What a provider reads from its cache costs as much here as what it reads anew.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    input: Amount  # a million tokens in
    output: Amount  # a million tokens out, thoughts among them
    currency: str = "USD"

    @field_validator("input", "output")
    @classmethod
    def _is_for_a_million(cls, amount: float) -> float:
        if 0 < amount < _LEAST:
            raise ValueError(f"{amount:g} for a million tokens seems to be the price of one: give {amount * 1e6:g}")
        return amount

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


def amount(money: float) -> str:
    """A sum for people: to a hundredth, or to three digits where that would show less than there is."""
    return f"{money:,.2f}" if money >= 1 or not money else f"{money:.3g}"
