"""One real vLLM with an embedded teacher for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tracemill.engine.resources import Resources
from tracemill.errors import ServingError
from tracemill.models.model import Model, Serve
from tracemill.models.server.command import vllm_python
from tracemill.models.server.process import Server

ZOO = Path(__file__).resolve().parents[3] / "zoo" / "models"
FLAGS = ("--max-num-seqs", "16", "--max-model-len", "1024")


def embedded(name: str, **settings: object) -> Model:
    """A model that this repository carries."""
    weights = ZOO / name
    serve = Serve(flags=FLAGS, concurrency=32, patience=240, start_timeout=400)
    return Model.model_validate({"name": name, "weights": str(weights), "serve": serve, **settings})


@pytest.fixture(scope="session", autouse=True)
def _needs_vllm() -> None:
    try:
        vllm_python(Resources())
    except ServingError as error:
        pytest.skip(str(error))
    if not (ZOO / "teacher-small" / "config.json").is_file():
        pytest.skip(f"{ZOO} holds no teacher-small: train it with `python -m zoo.train teacher-small`")


@pytest.fixture(scope="session")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    model = embedded("teacher-small")
    with Server(model, Resources(), 0, tmp_path_factory.mktemp("teacher") / "vllm.log") as server:
        server.start()
        yield server


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(embedded("judge"), Resources(), 0, tmp_path_factory.mktemp("judge") / "vllm.log") as server:
        server.start()
        yield server
