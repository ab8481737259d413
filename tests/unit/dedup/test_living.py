"""Dedup of a store that grows: what was kept stays kept, and every difference to a run from scratch is listed."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.build.shards import HASHING, Shards, problem
from tracemill.dedup.cluster import Cluster
from tracemill.dedup.index import read_index
from tracemill.dedup.sign import Sign
from tracemill.engine.ids import problem_id
from tracemill.engine.store import Store

SIGN = Sign.model_validate({"kind": "sign", "embedder": HASHING})
LONG = "a farmer has a field in the shape of a rectangle and wants to build a fence around it so that no sheep escape"
Row = tuple[str, int]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path), create=True)


def grown(store: Store, *arrivals: list[dict[str, Any]], **settings: Any) -> tuple[set[Row], list[dict[str, Any]]]:
    """Cluster after every arrival of a shard; the rows kept in the end, and all that was held back."""
    run, held = Shards(store), []
    for problems in arrivals:
        run.run(SIGN, run.add(problems))
        held += run.run(Cluster.model_validate({"kind": "cluster", **settings})).tables["held_back"].to_pylist()
    return kept(run), held


def kept(run: Shards) -> set[Row]:
    duplicates = run.store.get_table(run.gathered["cluster"].tables["duplicates"]).to_pylist()
    dropped = {(row["problem_id"], row["shard"]) for row in duplicates}
    assert not dropped & {(row["duplicate_of"], row["duplicate_shard"]) for row in duplicates}
    everything = {
        (identity, shard)
        for shard, manifests in run.sealed.items()
        for identity in run.store.get_table(manifests[0].tables["problems"])["id"].to_pylist()
    }
    return everything - dropped


def batch(store: Store, *shards: list[dict[str, Any]], **settings: Any) -> set[Row]:
    run = Shards(store, *shards)
    run.run_all(SIGN)
    run.run(Cluster.model_validate({"kind": "cluster", **settings}))
    return kept(run)


OLD, BETTER = problem(f"{LONG} please", source_rank=5), problem(f"{LONG} thanks", reference_answer="7")


def test_a_better_row_that_comes_later_does_not_displace_a_kept_one_and_is_listed(store: Store) -> None:
    assert batch(store, [OLD], [BETTER]) == {(BETTER["id"], 1)}
    rows, held = grown(store, [OLD], [BETTER])
    assert rows == {(OLD["id"], 0)}
    assert held == [{"problem_id": BETTER["id"], "shard": 1, "kept_instead": OLD["id"], "kept_shard": 0}]


def test_a_copy_of_a_row_that_was_dropped_names_the_row_that_is_kept(store: Store) -> None:
    run = Shards(store, [problem(f"{LONG} please"), problem(f"{LONG} thanks", source_rank=9)])
    run.run_all(SIGN)
    run.run(Cluster(kind="cluster"))
    run.run(SIGN, run.add([problem(f"{LONG} thanks!"), problem(f"{LONG} thanks", source_rank=1)]))
    duplicates = run.run(Cluster(kind="cluster")).tables["duplicates"].to_pylist()
    assert {row["duplicate_of"] for row in duplicates} == {problem_id(f"{LONG} please")}
    assert len(duplicates) == 3


def random_shards(seed: int, shards: int, rows: int) -> list[list[dict[str, Any]]]:
    """Families of near-duplicates scattered over shards, all with priorities of their own."""
    draw = np.random.default_rng(seed)
    words = ["please", "kindly", "now", "just", "also", "really", "very", "help"]
    made = []
    for shard in range(shards):
        texts = dict.fromkeys(
            f"{LONG} of kind {chr(97 + int(kind))} near the {words[a]} or the {words[b]} {kind}"
            for kind, a, b in draw.integers(0, 8, (rows, 3)).tolist()
        )
        made.append([problem(text, source_rank=shard * 100 + int(draw.integers(9))) for text in texts])
    return made


def test_in_order_of_priority_growing_and_a_run_from_scratch_agree(store: Store) -> None:
    shards = random_shards(1, 4, 30)
    rows, held = grown(store, *shards)
    assert held == []
    assert rows == batch(store, *shards)
    assert 8 <= len(rows) < sum(map(len, shards)) / 2


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_in_any_order_a_difference_is_never_silent(store: Store, order: tuple[int, ...]) -> None:
    shards = random_shards(2, 3, 20)
    rows, held = grown(store, *[shards[k] for k in order])
    whole = {identity for identity, _ in batch(store, *shards)}
    assert bool(held) or {identity for identity, _ in rows} == whole
    assert bool(held) == (order[0] != 0)


def test_every_id_that_was_ever_kept_stays_kept(store: Store) -> None:
    run, before = Shards(store), set[Row]()
    for problems in reversed(random_shards(3, 4, 20)):
        run.run(SIGN, run.add(problems))
        run.run(Cluster(kind="cluster"))
        now = kept(run)
        assert before <= now
        before = now


def test_nothing_new_decides_nothing_new(store: Store) -> None:
    run = Shards(store, *random_shards(4, 2, 20))
    run.run_all(SIGN)
    first = run.run(Cluster(kind="cluster"))
    again = run.run(Cluster(kind="cluster"))
    assert again.tables["duplicates"].equals(first.tables["duplicates"])
    assert again.tables["settled"].equals(first.tables["settled"])


def test_other_settings_decide_from_scratch(store: Store) -> None:
    run = Shards(store, [OLD])
    run.run_all(SIGN)
    run.run(Cluster(kind="cluster"))
    run.run(SIGN, run.add([BETTER]))
    run.run(Cluster.model_validate({"kind": "cluster", "fuzzy": 0.71}))
    assert kept(run) == {(BETTER["id"], 1)}


def test_a_shard_that_was_signed_anew_is_decided_anew(store: Store) -> None:
    run = Shards(store, [OLD], [BETTER])
    run.run_all(SIGN)
    run.run(Cluster(kind="cluster"))
    assert kept(run) == {(BETTER["id"], 1)}
    other = problem("something else altogether", reference_answer="7")
    run.sealed[1] = Shards(store, [], [other]).sealed[1]
    run.run(SIGN, 1)
    run.run(Cluster(kind="cluster"))
    assert kept(run) == {(OLD["id"], 0), (other["id"], 1)}


@pytest.mark.slow
@pytest.mark.parametrize("large", [4096, 8], ids=["small groups", "groups in cells"])
@pytest.mark.parametrize("seed", [5, 6, 7])
def test_the_index_decides_as_reading_all_shards_again_does(
    store: Store, monkeypatch: pytest.MonkeyPatch, seed: int, large: int
) -> None:
    monkeypatch.setattr("tracemill.dedup.semantic.WHOLE", large)
    monkeypatch.setattr("tracemill.dedup.semantic.SMALL", 5)
    shards = random_shards(seed, 6, 40)
    with_index, without = Shards(store), Shards(store)
    for number, problems in enumerate(shards):
        for run in (with_index, without):
            run.run(SIGN, run.add(problems))
        if number < 2:
            continue
        if number > 2:
            earlier = without.gathered["cluster"].tables
            without.gathered["cluster"] = without.gathered["cluster"].model_copy(
                update={"tables": {k: v for k, v in earlier.items() if not k.startswith("dedup_")}}
            )
        tables = [run.run(Cluster(kind="cluster")).tables for run in (with_index, without)]
        for name in ("duplicates", "held_back", "settled"):
            assert tables[0][name].to_pylist() == tables[1][name].to_pylist(), name
        found = [read_index(store, run.gathered["cluster"]) for run in (with_index, without)]
        assert found[0] is not None
        assert found[1] is not None
        for name in set(found[0].columns) - {"cell"}:
            np.testing.assert_array_equal(found[0].columns[name], found[1].columns[name])
        assert len(found[0].carried) == number
    assert len(tables[0]["duplicates"]) > 50
    assert bool(found[0].centroids) == (large == 8)


def test_no_old_shard_is_read_for_rows_that_are_new_altogether(store: Store) -> None:
    run = Shards(store, *random_shards(8, 3, 20))
    run.run_all(SIGN)
    run.run(Cluster(kind="cluster"))
    for manifests in run.sealed.values():
        for stored in (manifests[1].tables["signatures"], manifests[0].tables["problems"]):
            (Path(store.root) / stored.key).rename(Path(store.root) / f"{stored.key}.away")
    run.run(SIGN, run.add([problem("what is the capital of a country that nobody has ever heard of before")]))
    corpus = Cluster(kind="cluster").run(run.resources, run.inputs(Cluster(kind="cluster"), 0))
    assert len(corpus.tables["settled"]) == 4
