"""Data sets of a Hub on loopback: every byte once, our own readers, counts from files, errors that name a remedy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.build.hub import Hub, serving
from tracemill.engine.resources import Resources
from tracemill.errors import SourceError, StoreError
from tracemill.ingest.datasets.huggingface import HuggingfaceSource
from tracemill.ingest.formats import hub as hub_module

pytestmark = pytest.mark.server

REPO = "some/rows"


def lines(rows: list[Any]) -> bytes:
    """JSON Lines; a text is a line as it is."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    """A Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=50)
    return bytes(sink.getvalue())


def rows(first: int, count: int) -> list[dict[str, Any]]:
    """Rows that do not compress to nothing."""
    return [{"q": f"{n}: {os.urandom(20).hex()}?", "a": str(n)} for n in range(first, first + count)]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub with an empty data set."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serving(Hub(REPO)) as made:
        yield made


@pytest.fixture
def here(hub: Hub, tmp_path: Path) -> Resources:
    """A machine that has fetched nothing yet; what it is told is in `here.told`."""
    told: list[str] = []
    caches = {"HF_HUB_CACHE": str(tmp_path / "hub"), "TRACEMILL_CACHE": str(tmp_path / "cache")}
    return Resources(environment={"HF_ENDPOINT": hub.url, **caches}, tell=told.append, made_with={"told": told})


def source(**settings: Any) -> HuggingfaceSource:
    """A mapped source of the repository."""
    columns = {"prompt": "q", "reference_answer": "a"}
    given = {"kind": "huggingface", "name": "s", "repo": REPO, "columns": columns, **settings}
    return HuggingfaceSource.model_validate(given)


def read(made: HuggingfaceSource, here: Resources, rows_per_shard: int = 100) -> list[Any]:
    """All rows through plan and read, one slice at a time."""
    parts = made.plan(here, rows_per_shard)
    return [raw for part in parts for raw in made.read(here, part)]


def test_every_byte_comes_once_whatever_the_number_of_slices(hub: Hub, here: Resources) -> None:
    files = {f"data/train-{i}-of-2.parquet": parquet(rows(400 * i, 400)) for i in range(2)}
    hub.commit({"README.md": b"# rows\n", **files})
    made = source()
    assert len(made.plan(here, 20)) == 40
    assert [raw.value["a"] for raw in read(made, here, 20)] == [str(n) for n in range(800)]
    assert {name: hub.given[name] for name in files} == {name: len(data) for name, data in files.items()}
    asked = hub.asked.total()
    parts = made.plan(here, 20)
    planned = hub.asked.total()
    assert planned - asked <= 4  # the commit and the tree
    list(made.read(here, parts[7]))
    assert hub.asked.total() == planned  # what is here at the pinned commit is asked for no more


def test_one_bad_line_is_one_bad_row_and_dates_stay_text(hub: Hub, here: Resources) -> None:
    dates = [{"q": "When?", "a": "2024-05-01"}, '{"q": "Whe', {"q": "When then?", "a": 7}, {"q": "No answer"}]
    hub.commit({"train.jsonl": lines(dates)})
    found = read(source(), here)
    assert [raw.error.reason if raw.error else None for raw in found] == [None, "malformed_json", None, None]
    understood = [source().understand(raw.value).reference_answer for raw in found if raw.value]
    assert understood == ["2024-05-01", "7", None]


def test_a_file_with_nulls_only_does_not_decide_what_the_next_may_hold(hub: Hub, here: Resources) -> None:
    nulls = [{"q": f"{n}?", "a": None} for n in range(20)]
    hub.commit({"train-0.jsonl": lines(nulls), "train-1.jsonl": lines(rows(20, 20))})
    assert [raw.value["a"] for raw in read(source(), here)] == [None] * 20 + [str(n) for n in range(20, 40)]


def test_counts_come_from_files_and_not_from_cards(hub: Hub, here: Resources) -> None:
    card = "---\ndataset_info:\n  splits:\n  - name: train\n    num_bytes: 1\n    num_examples: 40\n---\n"
    hub.commit({"README.md": card.encode(), "data/train-00000-of-00001.parquet": parquet(rows(0, 60))})
    assert len(read(source(), here)) == 60


def test_a_card_says_which_files_a_configuration_has(hub: Hub, here: Resources) -> None:
    card = (
        "---\nconfigs:\n- config_name: hard\n  data_files:\n  - split: train\n    path: hard/*.jsonl\n"
        "- config_name: easy\n  data_files: easy/x.jsonl\n---\n"
    )
    files = {"hard/b.jsonl": lines(rows(2, 2)), "hard/a.jsonl": lines(rows(0, 2)), "easy/x.jsonl": lines(rows(9, 1))}
    hub.commit({"README.md": card.encode(), **files})
    assert [raw.value["a"] for raw in read(source(config="hard"), here)] == ["0", "1", "2", "3"]
    assert hub.given["easy/x.jsonl"] == 0
    with pytest.raises(SourceError, match="there is no split 'test'; there are: train"):
        source(config="hard", split="test").plan(here, 10)
    with pytest.raises(SourceError, match="nosuch"):
        source(config="nosuch").plan(here, 10)


def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    hub: Hub, here: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)  # whole chunks are kept
    data = lines(rows(0, 30_000))
    hub.commit({"train.jsonl": data})
    hub.cut = len(data) // 2
    assert len(read(source(), here, 10_000)) == 30_000
    assert hub.given["train.jsonl"] <= 1.2 * len(data)


def test_bytes_that_are_not_those_of_the_hub_are_refused_and_forgotten(hub: Hub, here: Resources) -> None:
    hub.commit({"train.jsonl": lines(rows(0, 100))})
    hub.spoil = True
    with pytest.raises(StoreError, match=r"train.jsonl: came with other bytes than the Hub has; retry"):
        source().plan(here, 10)
    hub.spoil = False
    assert len(read(source(), here)) == 100


def test_a_new_commit_costs_what_is_new(hub: Hub, here: Resources) -> None:
    first, second = lines(rows(0, 300)), lines(rows(300, 50))
    hub.commit({"a-train.jsonl": first})
    before = source().plan(here, 100)
    hub.commit({"train-of-a.jsonl": first, "train-of-b.jsonl": second})
    after = source().plan(here, 100, before)
    assert [(part.named, part.start, part.sha256) for part in after[:3]] == [
        (part.named, part.start, part.sha256) for part in before
    ]
    assert {part.revision for part in after} == {hub.main}  # a commit that is squashed away is not asked for again
    assert hub.given["train-of-a.jsonl"] == 0


@pytest.mark.parametrize(
    ("place", "status", "times"), [("/api/datasets", 503, 1), ("/api/datasets", 429, 2), ("/resolve/", 429, 3)]
)
def test_a_busy_hub_is_waited_for_and_that_is_said(
    hub: Hub, here: Resources, place: str, status: int, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    hub.commit({"train.jsonl": lines(rows(0, 10))})
    hub.refuse[place] = (status, {"Retry-After": "1"}, times)
    assert len(read(source(), here)) == 10
    assert str(status) in f"{here.made_with['told']} {caplog.text}"


def test_patience_ends_with_an_error_that_can_be_retried(
    hub: Hub, here: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.commit({"train.jsonl": lines(rows(0, 10))})
    hub.refuse["/api/"] = (429, {"Retry-After": "1"}, 1_000)
    monkeypatch.setattr(hub_module, "PATIENCE", 0.5)
    with pytest.raises(StoreError, match="429"):
        source().plan(here, 10)


def test_gated_and_private_data_sets_say_what_to_do(hub: Hub, here: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.commit({"train.jsonl": lines(rows(0, 10))})
    hub.token, hub.gated = "hf_right", True
    with pytest.raises(SourceError, match="the data set is gated: accept its terms"):
        source().plan(here, 10)
    hub.gated = False
    with pytest.raises(SourceError, match="there is no such data set, or it is private"):
        source().plan(here, 10)
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert len(read(source(), here)) == 10


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({"repo": "some/other"}, "there is no such data set", id="repository"),
        pytest.param({"revision": "v9"}, "check repo, config, split and revision", id="revision"),
    ],
)
def test_what_is_not_on_the_hub_is_named(hub: Hub, here: Resources, settings: dict[str, Any], says: str) -> None:
    hub.commit({"train.jsonl": lines(rows(0, 10))})
    with pytest.raises(SourceError, match=says):
        source(**settings).plan(here, 10)


def test_no_hub_is_the_worlds_failure(here: Resources) -> None:
    gone = replace(here, environment={**here.environment, "HF_ENDPOINT": "http://127.0.0.1:9"})
    with pytest.raises(StoreError, match="check the network and retry"):
        source().plan(gone, 10)
