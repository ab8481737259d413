"""The smallest question there is, and the model that it is asked of."""

from __future__ import annotations

from typing import Any

from tracemill.models.model import Model, Serve
from tracemill.models.request import Ask


def model(**serve: Any) -> Model:
    """The model that the endpoints of tests/build/shard.py name."""
    return Model(name="tiny", weights="org/tiny", revision="abc", serve=Serve(**serve))


def ask(prompt: str = "hello") -> Ask:
    """One message to a chat model."""
    return Ask("/v1/chat/completions", {"messages": [{"role": "user", "content": prompt}], "seed": 1})
