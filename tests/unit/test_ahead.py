"""Teachers asked ahead of their stages: the stages seal the same bytes, ask nobody again, and start no server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from tests.build.answering import OPEN, solving
from tests.build.several import Servers
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Manifest, Store
from tracemill.errors import AnswersUnknown, ServingError
from tracemill.local.ahead import Without, ask_ahead, asking_alike, stands_behind
from tracemill.local.known import from_store
from tracemill.local.pending import is_open
from tracemill.local.run import Run
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.models.lease import Lease, renew, withdraw
from tracemill.recipe import Recipe, load_recipe

POLICIES: dict[str, dict[str, Any]] = {
    "fixed": {"kind": "fixed"},
    "until one passes": {"kind": "until_pass", "max": 3, "verifiers": [{"kind": "math"}]},
}
MATHS = [row for row in OPEN.values() if row.get("reference_answer")][:8]
LONG = "Think of nothing else than of this. " * 100 + MATHS[0]["prompt"]
NOBODY = Resources(workers=1, environment={"TRACEMILL_VLLM_PYTHON": "/nowhere/python"})


def distill(name: str, policy: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    model = {"name": name, "weights": f"org/{name}", "revision": "abc"}
    return {
        "kind": "distill",
        "problems": "all",
        "teacher": {"kind": "chat", "model": model, "samples": 2, "policy": policy},
        **more,
    }


def written(folder: Path, **steps: Any) -> Recipe:
    """A recipe of two shards with these steps."""
    prompts = [LONG, *(row["prompt"] for row in MATHS[1:])]
    rows = zip(prompts, (row["reference_answer"] for row in MATHS), strict=True)
    lines = [json.dumps({"prompt": prompt, "answer": answer}) for prompt, answer in rows]
    (folder / "problems.jsonl").write_text("\n".join(lines))
    columns = {"prompt": "prompt", "reference_answer": "answer"}
    source = {"kind": "jsonl", "name": "open", "path": str(folder / "problems.jsonl"), "columns": columns}
    data = {"name": "two", "description": "Two.", "rows_per_shard": 4, "sources": [source], "steps": steps}
    (folder / "two.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    return load_recipe(str(folder / "two.yaml"))


def begun(folder: Path, recipe: Recipe, machine: Resources) -> Store:
    store = Store.at(str(folder), create=True)
    run_shard(recipe, store, "plan", 0, machine)
    for shard in (0, 1):
        run_shard(recipe, store, "ingest", shard, machine)
    return store


def content(store: Store, manifest: Manifest) -> dict[str, Any]:
    """The rows of a shard's tables, without how long each answer took."""
    tables = {name: store.get_table(one) for name, one in manifest.tables.items() if name != "usage"}
    return {
        name: table.drop_columns([c for c in ("generated_in", "seconds") if c in table.column_names]).to_pylist()
        for name, table in tables.items()
    }


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_whoever_is_asked_ahead_is_not_asked_again_and_nothing_else_changes(
    tmp_path: Path, policy: dict[str, Any]
) -> None:
    recipe = written(tmp_path, first=distill("first", policy), second=distill("second", policy))
    plain = Servers({"first": solving(2), "second": solving(1)})
    in_turn = begun(tmp_path / "in_turn", recipe, plain.machine())
    for stage in ("first", "second"):
        for shard in (0, 1):
            run_shard(recipe, in_turn, stage, shard, plain.machine())

    servers = Servers({"first": solving(2), "second": solving(1)})
    store = begun(tmp_path / "ahead", recipe, servers.machine())
    for shard in (0, 1):
        ask_ahead(Without(recipe, ["first"]), store, "second", shard, servers.machine())
    assert store.manifest("second", 0) is None
    assert not servers.by_host["first"].requests
    asked = len(servers.by_host["second"].requests)
    assert asked == len(plain.by_host["second"].requests)
    for stage in ("first", "second"):
        for shard in (0, 1):
            sealed = run_shard(recipe, store, stage, shard, servers.machine()).manifest
            before = in_turn.manifest(stage, shard)
            assert before is not None
            assert content(store, sealed) == content(in_turn, before)
    assert len(servers.by_host["second"].requests) == asked


def test_a_problem_that_the_first_teacher_loses_is_nobodys_answer_of_the_second(tmp_path: Path) -> None:
    """Trap: asked ahead of a stage that then quarantines the problem, the answer must not come back by the store."""
    policy = POLICIES["fixed"]
    recipe = written(tmp_path, first=distill("first", policy), second=distill("second", policy))
    servers = Servers({"first": FakeServer(say=solving(2).say, context=500), "second": solving(1)})
    store = begun(tmp_path / "store", recipe, servers.machine())
    ask_ahead(Without(recipe, ["first"]), store, "second", 0, servers.machine())
    first = run_shard(recipe, store, "first", 0, servers.machine()).manifest
    second = run_shard(recipe, store, "second", 0, servers.machine()).manifest
    assert first.counts.quarantined == {"too_long": 1}
    assert second.counts.entered == first.counts.entered - 1
    assert store.get_table(second.tables["generations"]).num_rows == 2 * second.counts.entered


def test_a_model_is_known_by_what_it_is_and_not_by_its_name(tmp_path: Path) -> None:
    """Trap: asked beside a stage that asks the same model the same, every answer was paid twice."""
    policy = POLICIES["fixed"]
    again = distill("second", policy)
    again["teacher"]["model"]["weights"] = "org/first"
    steps = {"first": distill("first", policy), "other": distill("other", policy), "second": again}
    recipe = written(tmp_path, **steps)
    assert asking_alike(recipe, "second", ["first", "other"], NOBODY) == ["first"]
    assert asking_alike(recipe, "second", ["other"], NOBODY) == []
    assert asking_alike(recipe, "other", ["first", "lacking"], NOBODY) == []


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        pytest.param({"weights": "./m"}, {"weights": "./n/../m"}, True, id="one folder"),
        pytest.param({"weights": "./m"}, {"weights": "./m", "engine": {"lora": "./a"}}, False, id="with an adapter"),
        pytest.param({"api": {"url": "http://x/v1", "model": "m"}}, {"weights": "./m"}, False, id="hosted and served"),
        pytest.param(
            {"api": {"url": "http://x/v1", "model": "m"}},
            {"api": {"url": "http://x", "model": "m", "key": "${K}"}},
            True,
            id="hosted, with a key and without",
        ),
    ],
)
def test_which_models_are_one(tmp_path: Path, one: dict[str, Any], other: dict[str, Any], alike: bool) -> None:
    steps = {name: distill(name, POLICIES["fixed"]) for name in ("first", "second")}
    steps["first"]["teacher"]["model"] = {"name": "first", **one}
    steps["second"]["teacher"]["model"] = {"name": "second", **other}
    assert asking_alike(written(tmp_path, **steps), "second", ["first"], NOBODY) == (["first"] if alike else [])


VERIFY = {"kind": "verify", "verifiers": [{"kind": "math"}]}
ONE, TWO = (distill(name, POLICIES["fixed"]) for name in ("one", "two"))


@pytest.mark.parametrize(
    ("steps", "behind"),
    [
        pytest.param({"first": ONE, "second": TWO}, True, id="as the graph has it"),
        pytest.param({"verify": VERIFY, "first": ONE, "second": TWO}, True, id="behind others"),
        pytest.param({"first": ONE, "verify": VERIFY, "second": TWO}, False, id="a cascade by now"),
        pytest.param({"first": VERIFY, "second": TWO}, False, id="the first asks nobody any more"),
        pytest.param({"second": TWO, "first": ONE}, True, id="the other way round"),
    ],
)
def test_of_a_recipe_that_was_changed_it_is_known_who_must_wait(tmp_path: Path, steps: Any, behind: bool) -> None:
    """Trap: a task of yesterday's graph would ask a strong teacher all that the cheap one had solved."""
    assert stands_behind(written(tmp_path, **steps), "second", ["first"]) is behind


def test_what_is_sealed_is_not_asked_ahead(tmp_path: Path) -> None:
    policy = POLICIES["fixed"]
    recipe = written(tmp_path, first=distill("first", policy), second=distill("second", policy))
    servers = Servers({"first": solving(2), "second": solving(1)})
    store = begun(tmp_path / "store", recipe, servers.machine())
    assert [is_open(recipe, store, "second", shard, NOBODY) for shard in (0, 1)] == [True, True]
    for stage in ("first", "second"):
        run_shard(recipe, store, stage, 1, servers.machine())
    assert [is_open(recipe, store, "second", shard, NOBODY) for shard in (0, 1)] == [True, False]


def test_a_stage_that_may_ask_nobody_says_what_it_lacks(tmp_path: Path) -> None:
    recipe = written(tmp_path, first=distill("first", POLICIES["fixed"]))
    servers = Servers({"first": solving(2)})
    store = begun(tmp_path / "store", recipe, servers.machine())
    with pytest.raises(AnswersUnknown, match="'first': 8 answers are not known"):
        run_shard(recipe, store, "first", 0, replace(servers.machine(), asks=False))
    assert store.manifest("first", 0) is None
    assert servers.asked == 0


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_a_run_starts_no_server_for_what_is_answered(tmp_path: Path, policy: dict[str, Any]) -> None:
    """Killed behind its last answer, a shard needs nobody; half an hour of loading a model would be for nothing."""
    recipe = written(tmp_path, first=distill("first", policy))
    servers = Servers({"first": solving(2)})
    store = begun(tmp_path / "store", recipe, servers.machine())
    for shard in (0, 1):
        ask_ahead(Without(recipe, []), store, "first", shard, servers.machine())
    Run(recipe, store.root, NOBODY, Console(quiet=True)).go()
    assert [store.manifest("first", shard) is not None for shard in (0, 1)] == [True, True]


def test_what_is_answered_is_sealed_before_a_server_is_started_for_the_rest(tmp_path: Path) -> None:
    recipe = written(tmp_path, first=distill("first", POLICIES["fixed"]))
    servers = Servers({"first": solving(2)})
    store = begun(tmp_path / "store", recipe, servers.machine())
    ask_ahead(Without(recipe, []), store, "first", 0, servers.machine())
    with pytest.raises(ServingError, match="make vllm"):
        Run(recipe, store.root, NOBODY, Console(quiet=True)).go()
    assert [store.manifest("first", shard) is not None for shard in (0, 1)] == [True, False]


def test_a_stage_whose_model_never_answered_is_not_tried(tmp_path: Path) -> None:
    recipe = written(tmp_path, first=distill("first", POLICIES["fixed"]))
    store = begun(tmp_path / "store", recipe, NOBODY)
    assert from_store(recipe, store, "first", [0, 1], NOBODY, lambda *_: pytest.fail("nothing is known")).made == []


@pytest.mark.server
def test_the_engine_that_answered_is_known_also_to_who_finds_its_answers(tmp_path: Path) -> None:
    """Trap: a killed shard found all answers, asked nobody, and the RL set then named no engine version."""
    recipe = written(tmp_path, first=distill("first", POLICIES["fixed"]))
    store = begun(tmp_path / "store", recipe, NOBODY)
    with on_socket(solving(2)) as server:
        lease = Lease(
            model="first",
            identity="org/first@abc",
            replica=0,
            url=server.url,
            host="h",
            pid=1,
            renewed=0,
            engine="0.32.0",
        )
        renew(store, lease)
        ask_ahead(Without(recipe, []), store, "first", 0, Resources(workers=1))
        withdraw(store, lease)
    sealed = run_shard(recipe, store, "first", 0, replace(NOBODY, asks=False)).manifest
    assert sealed.made_with["model first"]["versions"] == ["0.32.0"]
