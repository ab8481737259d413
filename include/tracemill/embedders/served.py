"""Embeds through a server of embeddings that is up (`vllm serve --runner pooling`), with the client of all models."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from fsspec.implementations.local import LocalFileSystem
from pydantic import Field, model_validator

from tracemill.embedders.base import Embedder, unit_rows
from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, ServingError
from tracemill.models.endpoints import ENDPOINTS, fixed_endpoints
from tracemill.models.model import Model
from tracemill.models.request import Answer, Ask, Refusal
from tracemill.text.jit import F32

PER_REQUEST = 32  # texts: the server makes its own batches of what is in flight


class ServedEmbedder(Embedder):
    """`model` names the weights, by which vectors are known, and the endpoint (a connection, or TRACEMILL_ENDPOINTS).

    `max_tokens`: longer texts are cut there by the server. Needs `thresholds`: they belong to a model.
    """

    kind: Literal["served"]
    model: Model
    prefix: str = ""  # is put before every text, as some models want
    max_tokens: Annotated[int, Field(ge=8)] = 512
    version: ClassVar[int] = 1

    @model_validator(mode="after")
    def _is_known_by_its_weights(self) -> ServedEmbedder:
        if self.model.weights is not None and not self.model.revision:
            raise ValueError(
                f"model {self.model.name!r}: give its revision; nobody can look into the folder of a server that is up"
            )
        return self

    def embed(self, texts: Sequence[str], resources: Resources) -> F32:
        """One unit row per text. Raises ServingError when no server answers, RecipeError when none is named."""
        if not fixed_endpoints(self.model.name, resources.environment) and self.model.api is None:
            raise RecipeError(
                f"embedder: no server is named for model {self.model.name!r}; name one in {ENDPOINTS} or a connection"
            )
        asks = [
            Ask("/v1/embeddings", {"input": [self.prefix + text or " " for text in part], **self._cut()})
            for part in (texts[start : start + PER_REQUEST] for start in range(0, len(texts), PER_REQUEST))
        ]
        answers = asyncio.run(self._asked(asks, resources))
        rows = [np.asarray(_values(self.model.name, answer), np.float32) for answer in answers]
        whole = np.concatenate([np.zeros(0, np.float32), *rows])
        if len(texts) and len(whole) % len(texts):
            raise ServingError(f"model {self.model.name!r}: {len(whole)} numbers for {len(texts)} texts")
        return unit_rows(whole.reshape(len(texts), -1) if len(texts) else whole.reshape(0, 1))

    def _cut(self) -> Mapping[str, int]:
        return {"truncate_prompt_tokens": self.max_tokens}

    async def _asked(self, asks: Sequence[Ask], resources: Resources) -> list[Answer]:
        """The answers in order, at most `concurrency` requests at once."""
        from tracemill.models.client import Client  # late: reading a recipe must not load an HTTP library
        from tracemill.models.fleet import Fleet

        slots = asyncio.Semaphore(self.model.serve.concurrency)
        fleet = Fleet(self.model, ObjectStore(LocalFileSystem(), str(resources.scratch)), resources)
        async with Client(fleet, resources.transport) as client:

            async def one(ask: Ask) -> Answer:
                async with slots:
                    return await client.ask(ask)

            return await asyncio.gather(*map(one, asks))


def _values(name: str, answer: Answer) -> Sequence[float]:
    if isinstance(answer, Refusal):
        raise ServingError(f"model {name!r} refuses to embed: {answer.detail}")
    return answer.values
