"""Which weights, and how the engine treats them: what changes an answer is another identity, what does not is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.models.model import Model, Serve, without_serving
from tracemill.models.request import Ask
from tracemill.models.weights import folder_digest, known_identity

HERE = Resources(workers=1, environment={})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"0123456789")
    return made


def of(folder: Path, **fields: Any) -> Model:
    return Model.model_validate({"name": "tiny", "weights": str(folder), **fields})


def test_a_folder_is_identified_by_what_decides_answers(folder: Path) -> None:
    first = folder_digest(folder)
    (folder / "README.md").write_text("a card")
    assert folder_digest(folder) == first
    (folder / "model.safetensors").write_bytes(b"0123456780")
    assert folder_digest(folder) != first


def test_one_byte_changed_in_a_file_of_equal_size_and_time_is_another_identity(folder: Path, store: Store) -> None:
    """Trap: size and modification time may both be what they were; a kept digest must not be believed for it."""
    weights = folder / "model.safetensors"
    first, seen = of(folder).identity(HERE, store), weights.stat()
    assert of(folder).identity(HERE, store) == first
    weights.write_bytes(b"0123456780")
    os.utime(weights, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert of(folder).identity(HERE, store) != first


def test_a_kept_digest_is_not_made_again(folder: Path, store: Store) -> None:
    first = of(folder).identity(HERE, store)
    weights = folder / "model.safetensors"
    weights.chmod(0)
    try:
        kept = of(folder).identity(HERE, store)
    finally:
        weights.chmod(0o600)
    assert kept == first or os.geteuid() != 0


def test_clients_need_no_weights(folder: Path, store: Store) -> None:
    first = of(folder).identity(HERE, store)
    elsewhere = of(Path("/nowhere/model"))
    assert elsewhere.identity(HERE, store) == first == known_identity(store, "tiny")


def test_without_weights_and_without_a_kept_digest_there_is_no_identity(store: Store) -> None:
    with pytest.raises(RecipeError, match=r"config.json is missing"):
        of(Path("/nowhere/model")).identity(HERE, store)


def test_files_of_the_hubs_cache_are_known_by_the_names_of_their_blobs(tmp_path: Path, store: Store) -> None:
    """The same content as a plain folder is the same identity, and the blob itself is not read."""
    import hashlib

    content = b"weights" * 100
    blob = tmp_path / hashlib.sha256(content).hexdigest()
    blob.write_bytes(content)
    plain, cached = tmp_path / "plain", tmp_path / "cached"
    for each in (plain, cached):
        each.mkdir()
        (each / "config.json").write_text("{}")
    (plain / "model.safetensors").write_bytes(content)
    (cached / "model.safetensors").symlink_to(blob)
    assert folder_digest(plain) == folder_digest(cached)


@pytest.mark.parametrize(
    "engine",
    [
        {"quantization": "fp8"},
        {"kv_cache_dtype": "fp8"},
        {"dtype": "float16"},
        {"hf_overrides": {"rope_scaling": {}}},
        {"flags": ["--model-impl", "transformers"]},
        {"version": "0.32.0"},
    ],
)
def test_what_changes_the_text_is_another_identity(folder: Path, store: Store, engine: dict[str, Any]) -> None:
    assert of(folder, engine=engine).identity(HERE, store) != of(folder).identity(HERE, store)


def test_the_content_of_a_chat_template_counts_and_its_place_does_not(folder: Path, store: Store) -> None:
    first, second = folder.parent / "a.jinja", folder.parent / "b.jinja"
    first.write_text("{{ messages }}")
    second.write_text("{{ messages }}")
    known = of(folder, engine={"chat_template": str(first)}).identity(HERE, store)
    assert of(folder, engine={"chat_template": str(second)}).identity(HERE, store) == known
    second.write_text("{{ messages }} think")
    assert of(folder, engine={"chat_template": str(second)}).identity(HERE, store) != known


@pytest.mark.parametrize(
    ("flags", "field"),
    [
        (["--quantization", "fp8"], "engine.quantization"),
        (["-q", "fp8"], "engine.quantization"),
        (["--kv-cache-dtype=fp8"], "engine.kv_cache_dtype"),
        (["--kv_cache_dtype", "fp8"], "engine.kv_cache_dtype"),
        (["--default-chat-template-kwargs", "{}"], "sampling.chat_template_kwargs"),
        (["--hf-overrides", "{}"], "engine.hf_overrides"),
        (["--enable-lora", "--lora-modules", "t=./a"], "engine.lora"),
        (["--chat-template", "x.jinja"], "engine.chat_template"),
        (["--override-generation-config", "{}"], "sampling"),
    ],
)
def test_a_flag_that_changes_the_text_is_refused_with_the_field_to_use(flags: list[str], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Serve.model_validate({"flags": flags})


@pytest.mark.parametrize(
    "flags",
    [
        ["--max-num-seqs", "32"],
        ["--gpu-memory-utilization", "0.9"],
        ["--no-enable-prefix-caching"],
        ["--api-server-count", "2"],
    ],
)
def test_a_flag_that_only_says_how_it_runs_is_let_through(flags: list[str]) -> None:
    assert Serve.model_validate({"flags": flags}).flags == tuple(flags)


@pytest.mark.parametrize(
    "serve", [{"timeout": 3600}, {"flags": ["--dtype", "half"]}], ids=["a time-out over a whole answer", "dtype"]
)
def test_what_is_refused_says_what_to_use(serve: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"silence|engine\.dtype"):
        Serve.model_validate(serve)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {**body, "max_tokens": 7},
        lambda body: {**body, "chat_template_kwargs": {"enable_thinking": False}},
        lambda body: {**body, "reasoning_effort": "high"},
    ],
)
def test_what_is_asked_otherwise_has_another_key(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "a"}], "seed": 1}
    route = "/v1/chat/completions"
    assert Ask("/v1/chat/completions", body).key("w") != Ask(route, change(body)).key("w")


def test_places_and_engines_are_in_no_settings(folder: Path) -> None:
    settings = {"model": of(folder, engine={"dtype": "half"}, serve={"concurrency": 3}).model_dump(mode="json")}
    assert without_serving(settings) == {"model": {"name": "tiny", "revision": None, "task": "generate"}}
