"""A refresh computes what is new and publishes a version that says what changed; or it publishes nothing."""

from __future__ import annotations

import json
from io import StringIO
from itertools import permutations
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from tests.build.small import ONE, Small, ids, small, text
from tracemill.engine.runner import run_shard
from tracemill.errors import CorruptShard, MissingInput, SourceError
from tracemill.versions.held_back import held_back
from tracemill.versions.refresh import say
from tracemill.versions.versions import latest, seal_version, version_numbers

OLD, NEW = [text(k) for k in range(40)], [text(k) for k in (90, 91)]


@pytest.fixture
def first(tmp_path: Path) -> Small:
    """Version 1 of forty problems."""
    made = small(tmp_path, OLD)
    made.refresh()
    return made


def test_the_first_refresh_publishes_everything_as_version_1(first: Small) -> None:
    version = latest(first.store)
    assert version is not None
    assert (version.number, version.rows, version.totals.added, version.totals.removed) == (1, 40, 40, 0)
    assert first.released(version) == ids(OLD)


def test_without_news_nothing_is_computed_and_nothing_published(first: Small) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in first.root.rglob("*") if path.is_file())
    done = first.refresh()
    assert (done.reasons, done.computed, done.published) == ([], 0, None)
    assert sorted((path, path.stat().st_mtime_ns) for path in first.root.rglob("*") if path.is_file()) == before


def test_new_rows_cost_new_shards_and_are_exactly_what_is_added(first: Small) -> None:
    first.write(OLD + NEW)
    done = first.refresh()
    # plan, cluster and release see everything; of the five mapped steps one new shard each
    assert (done.computed, done.reused) == (3 + 5, 4 * 5)
    assert done.published is not None
    version = done.published.version
    assert (version.number, version.totals.added, version.totals.removed) == (2, 2, 0)
    assert {row["problem_id"] for row in first.changes(version)} == ids(NEW)


def test_refreshing_anyway_makes_no_second_version_of_the_same_content(first: Small) -> None:
    done = first.refresh(anyway=True)
    assert done.published is not None
    assert (done.computed, done.published.fresh, version_numbers(first.store)) == (0, False, [1])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda made: made.write(OLD[:-1]), id="a row vanished"),
        pytest.param(lambda made: made.write(OLD, column="query"), id="a column was renamed"),
        pytest.param(lambda made: (made.folder / "rows.jsonl").unlink(), id="the file is gone"),
        pytest.param(lambda made: (made.folder / "rows.jsonl").write_bytes(b""), id="the file is empty"),
    ],
)
def test_a_source_that_shrank_or_changed_its_schema_leaves_version_1(first: Small, spoil: object) -> None:
    assert callable(spoil)
    spoil(first)
    with pytest.raises(SourceError):
        first.refresh()
    assert version_numbers(first.store) == [1]
    version = latest(first.store)
    assert version is not None
    assert first.released(version) == ids(OLD)


def test_a_refresh_that_died_after_planning_is_taken_up_again(first: Small) -> None:
    """The plan knows the new rows already: only the watermark, which is written last, tells that nothing came of it."""
    first.write(OLD + NEW)
    run_shard(first.recipe, first.store, "plan", 0, ONE)
    done = first.refresh()
    assert done.reasons == ["source some changed"]
    assert done.published is not None
    assert first.released(done.published.version) == ids(OLD + NEW)


def test_a_half_release_is_not_published(first: Small) -> None:
    first.write(OLD + NEW)
    for name, shard in (("plan", 0), ("ingest", 4), ("sign", 4)):
        run_shard(first.recipe, first.store, name, shard, ONE)
    with pytest.raises(MissingInput):
        seal_version(first.recipe, first.store, ONE, "publish")
    assert version_numbers(first.store) == [1]


STAGES = ("plan", "ingest", "sign", "cluster", "unique", "rules", "select", "release")


@pytest.mark.parametrize("last", STAGES)
def test_a_refresh_that_dies_after_any_stage_publishes_nothing_and_is_taken_up_again(first: Small, last: str) -> None:
    first.write(OLD + NEW)
    for name in STAGES[: STAGES.index(last) + 1]:
        for shard in range(1 if first.recipe.step(name).shape == "gather" else 5):
            run_shard(first.recipe, first.store, name, shard, ONE)
    version = latest(first.store)
    assert version is not None
    assert (version.number, first.released(version)) == (1, ids(OLD))
    if last != "release":
        with pytest.raises(MissingInput):
            seal_version(first.recipe, first.store, ONE, "publish")
    done = first.refresh()
    assert done.published is not None
    assert (version_numbers(first.store), first.released(done.published.version)) == ([1, 2], ids(OLD + NEW))


@pytest.mark.slow
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_in_any_order_of_arrival_the_release_is_the_same_or_the_difference_is_listed(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    """Three files share problems in pairs; the source with the smaller number has the better rank."""
    texts = [[text(k) for k in range(start, start + 20)] for start in (0, 10, 20)]
    arrived = arriving(tmp_path / "grown", [[texts[k]] for k in order], order)
    whole = arriving(tmp_path / "whole", [[texts[k] for k in order]], order)
    late = {row["problem_id"] for row in held_back(arrived.recipe, arrived.store).to_pylist()}
    assert published(arrived) == published(whole) == ids([text(k) for k in range(40)])
    differing = {one for one, source in origins(arrived).items() if origins(whole)[one] != source}
    assert differing == late
    assert bool(late) == (order != (0, 1, 2))
    out = StringIO()
    say(Console(file=out), arrived.refresh(anyway=True))
    assert ("--held-back lists them" in out.getvalue()) == bool(late)


def arriving(folder: Path, refreshes: list[list[list[str]]], order: tuple[int, ...]) -> Small:
    """A store to which files come in that order, some with each refresh; file k has rank k."""
    folder.mkdir()
    made, numbers = Small(folder), iter(order)
    sources: list[dict[str, object]] = []
    for files in refreshes:
        for rows in files:
            number = next(numbers)
            made.write(rows)
            (folder / "rows.jsonl").rename(folder / f"rows{number}.jsonl")
            sources.append({"name": f"s{number}", "rank": number, "path": str(folder / f"rows{number}.jsonl")})
        made.describe()
        data = yaml.safe_load(made.recipe_file.read_text())
        (usual,) = data["sources"]
        data["sources"] = [{**usual, **one} for one in sources]
        made.recipe_file.write_text(yaml.safe_dump(data, sort_keys=False))
        made.refresh()
    return made


def published(made: Small) -> set[str]:
    version = latest(made.store)
    assert version is not None
    return made.released(version)


def origins(made: Small) -> dict[str, str]:
    """Which source each released problem came from."""
    version = latest(made.store)
    assert version is not None
    rows = made.store.get_table(version.files["metadata.parquet"], ["problem_id", "source"]).to_pylist()
    return {row["problem_id"]: row["source"] for row in rows}


@pytest.mark.parametrize("harm", [b"", b"something else"], ids=["gone", "damaged"])
def test_a_release_whose_file_is_not_as_sealed_is_not_published(tmp_path: Path, harm: bytes) -> None:
    made = small(tmp_path, OLD)
    made.refresh()
    (made.root / "versions" / "00001.json").unlink()
    (data,) = made.root.glob("release/00000/train-*.parquet")
    data.write_bytes(harm) if harm else data.unlink()
    with pytest.raises(CorruptShard, match="nothing was published"):
        seal_version(made.recipe, made.store, ONE, "publish")
    assert version_numbers(made.store) == []


def test_what_is_removed_says_which_step_removed_it_and_why(first: Small) -> None:
    exact = {"embedding": None, "ngram": None, "template": None}
    step = {"kind": "decontaminate", "embedder": {"kind": "hashing"}, **exact}
    path = first.benchmark("late", OLD[3])
    first.describe(rules={**step, "benchmarks": [{"name": "late", "path": str(path), "field": "question"}]})
    done = first.refresh()
    assert done.reasons == ["the recipe changed"]
    assert done.published is not None
    (row,) = first.changes(done.published.version)
    assert (row["change"], {row["problem_id"]}) == ("removed", ids([OLD[3]]))
    assert (row["step"], row["reason"], row["detail"]) == ("rules", "contaminated_exact", "late/0")
    assert done.published.version.totals.reasons == {"contaminated_exact": 1}


def test_a_row_that_its_source_changed_is_removed_because_it_is_not_there(first: Small) -> None:
    first.write([NEW[0], *OLD[1:]])
    done = first.refresh()
    assert done.published is not None
    changes = {(row["change"], row["problem_id"], row["reason"]) for row in first.changes(done.published.version)}
    (old,), (new,) = ids([OLD[0]]), ids([NEW[0]])
    assert changes == {("removed", old, "not_in_source"), ("added", new, None)}


def test_an_unreadable_version_is_named(first: Small) -> None:
    (first.root / "versions" / "00001.json").write_text(json.dumps({"number": 1}))
    with pytest.raises(CorruptShard, match=r"00001\.json"):
        latest(first.store)
