"""Adapters of one base: who shares a server, how it is started, and what each is known by."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.build.adapter import adapter
from tracemill.engine.resources import Resources
from tracemill.engine.store import Store
from tracemill.errors import RecipeError
from tracemill.models.model import Model
from tracemill.models.server.command import command
from tracemill.models.sharing import families

HERE = Resources(workers=1, environment={})
BASE: dict[str, Any] = {"weights": "org/base", "revision": "abc"}


def model(name: str, lora: str | None = None, **fields: Any) -> Model:
    engine = {**fields.pop("engine", {}), **({"lora": lora} if lora else {})}
    return Model.model_validate({"name": name, **BASE, "engine": engine, **fields})


def names(*models: Model) -> list[list[str]]:
    return [[one.name for one in family] for family in families(models)]


def test_adapters_of_one_base_are_one_servers_and_so_is_the_base() -> None:
    found = names(model("a", "./a"), model("plain", revision="other"), model("b", "./b"), model("base"))
    assert found == [["a", "b", "base"], ["plain"]]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"revision": "def"}, id="other weights"),
        pytest.param({"engine": {"dtype": "half"}}, id="another engine setting"),
        pytest.param({"serve": {"max_model_len": 512}}, id="run otherwise"),
        pytest.param({"serve": {"replicas": 2}}, id="more of them"),
    ],
)
def test_what_one_engine_cannot_be_both_of_is_two_servers(other: dict[str, Any]) -> None:
    assert names(model("a", "./a"), model("b", "./b", **other)) == [["a"], ["b"]]


def test_how_clients_ask_parts_no_family_and_two_names_without_an_adapter_make_none() -> None:
    assert names(model("a", "./a"), model("b", "./b", serve={"concurrency": 3})) == [["a", "b"]]
    assert names(model("a"), model("b")) == [["a"], ["b"]], "as it was before there were families"


def started(*models: Model) -> list[str]:
    first, *others = models
    return command(first, Path("/vllm/bin/python"), HERE, "127.0.0.1", 1, others)


def after(flag: str, options: list[str]) -> list[str]:
    """What follows that flag, up to the next one."""
    rest = options[options.index(flag) + 1 :]
    return rest[: next(place for place, word in enumerate([*rest, "--"]) if word.startswith("--"))]


def test_one_command_serves_the_family_with_room_for_its_largest_adapter(tmp_path: Path) -> None:
    """Trap: vLLM's room for an adapter is a rank of 16, so one of 24 does not load; and it takes eight sizes only."""
    a, b = adapter(tmp_path / "a", rank=24), adapter(tmp_path / "b", rank=8)
    options = started(model("a", str(a)), model("b", str(b)))
    assert after("--lora-modules", options) == [f"a={a}", f"b={b}"]
    assert (after("--max-lora-rank", options), after("--max-loras", options)) == (["32"], ["2"])
    assert after("--served-model-name", options) == ["a-base"], "nobody asks the bare base"
    assert after("--served-model-name", started(model("a", str(a)), model("base"))) == ["base"]


def test_a_model_without_adapters_is_started_as_before() -> None:
    assert not [word for word in started(model("base")) if "lora" in word]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        pytest.param(None, "holds no adapter", id="no adapter at all"),
        pytest.param("{", r"adapter_config\.json is no adapter's", id="half a file"),
        pytest.param("[]", r"adapter_config\.json is no adapter's", id="JSON of another kind"),
        pytest.param('{"peft_type": "LORA"}', r"adapter_config\.json is no adapter's", id="no rank"),
        pytest.param('{"r": 8, "rank_pattern": {"q_proj": 1024}}', "rank 1024.* beyond 512", id="a pattern's rank"),
    ],
)
def test_a_folder_that_cannot_be_served_is_an_error_of_the_recipe(
    tmp_path: Path, config: str | None, said: str
) -> None:
    if config:
        (tmp_path / "adapter_config.json").write_text(config)
    with pytest.raises(RecipeError, match=said):
        started(model("a", str(tmp_path)))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def test_an_adapter_is_known_by_base_and_content_and_needs_no_copy_at_its_clients(tmp_path: Path, store: Store) -> None:
    """Trap: whoever only asks has no adapter's folder, and another folder with the same files is the same adapter."""
    folder = adapter(tmp_path / "a")
    same = adapter(tmp_path / "same")
    known = model("a", str(folder)).identity(HERE, store)
    assert known.startswith("org/base@abc+")
    assert model("a", str(same)).identity(HERE, store) == known
    assert model("a", str(folder), revision="def").identity(HERE, store) != known
    shutil.rmtree(folder)
    assert model("a", str(folder)).identity(HERE, store) == known
    config = json.loads((same / "adapter_config.json").read_text())
    (same / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 99}))
    assert model("a", str(same)).identity(HERE, store) != known


def test_a_client_without_the_adapter_is_told_before_anybody_served_it(tmp_path: Path, store: Store) -> None:
    with pytest.raises(RecipeError, match=r"engine\.lora: there is no folder"):
        model("a", str(tmp_path / "nowhere")).identity(HERE, store)
