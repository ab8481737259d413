"""The index of a sample store: a look opens the parts that hold an answer and few others; losing it loses time only."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemill.engine.keys import keys_below
from tracemill.engine.objects import ObjectStore
from tracemill.models.request import Reply
from tracemill.models.sample_index import SampleIndex, heads_of
from tracemill.models.samples import SampleStore


def key(number: int) -> str:
    """Keys that begin alike and are spread by turns."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64 if number % 3 else number:016x}" + f"{number:048x}"


class Small(SampleIndex):
    """Indexes that are written and put together after a few parts already."""

    together: ClassVar[int] = 3
    fanout: ClassVar[int] = 2


class Counting(LocalFileSystem):
    """Counts which files are opened to be read."""

    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def _open(self, path: str, mode: str = "rb", *rest: object, **more: object) -> object:
        if "r" in mode:
            self.read.append(path)
        return super()._open(path, mode, *rest, **more)


def samples(root: Path, fs: fsspec.AbstractFileSystem | None = None) -> SampleStore:
    made = SampleStore(ObjectStore(fs or LocalFileSystem(), str(root)), "weights")
    made.index = Small(made.store, made.index.folder)
    return made


def test_a_look_opens_the_parts_that_hold_an_answer_and_few_others(tmp_path: Path) -> None:
    writer = SampleStore(ObjectStore(LocalFileSystem(), str(tmp_path)), "weights")
    for part in range(200):
        writer.add({key(10 * part + n): Reply(f"{part} {n}") for n in range(10)}, f"shard{part}")
    counting = Counting()
    reader = SampleStore(ObjectStore(counting, str(tmp_path)), "weights")
    wanted = [key(15), key(999), key(100_000)]
    assert {k: r.text for k, r in reader.find(wanted, "mine").items()} == {key(15): "1 5", key(999): "99 9"}
    loose = 200 % writer.index.together
    assert len([path for path in counting.read if "-index/" not in path]) <= loose + 2


def test_parts_of_an_older_tracemill_are_found_and_indexed_by_whoever_looks_through_them(tmp_path: Path) -> None:
    """Trap: parts without today's columns and without an index."""
    folder = tmp_path / samples(tmp_path).folder
    folder.mkdir()
    for part in range(70):
        row = {"key": bytes.fromhex(key(part)), "made": 1.0, "text": f"t{part}", "finish_reason": "stop"}
        schema = pa.schema([("key", pa.binary(32)), ("made", pa.float64()), ("text", pa.string())])
        pq.write_table(pa.Table.from_pylist([row], schema), folder / f"near-{part}.parquet")
    first = Counting()
    reader = SampleStore(ObjectStore(first, str(tmp_path)), "weights")
    assert reader.find([key(7)], "mine")[key(7)].text == "t7"
    second = Counting()
    reader = SampleStore(ObjectStore(second, str(tmp_path)), "weights")
    assert set(reader.find([key(7), key(69)], "mine")) == {key(7), key(69)}
    assert len([path for path in second.read if "-index/" not in path]) == 2


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1" + bytes(200) + b"PAR1"], ids=["empty", "short", "rubbish"])
def test_a_damaged_index_costs_no_answer(tmp_path: Path, damage: bytes) -> None:
    store = samples(tmp_path)
    for part in range(3):
        store.add({key(part): Reply(f"t{part}")}, "near")
    (index,) = keys_below(store.store, store.index.folder)
    (tmp_path / index).write_bytes(damage)
    assert len(store.find([key(n) for n in range(3)], "mine")) == 3


def test_whoever_is_killed_between_writing_and_removing_loses_nothing(tmp_path: Path) -> None:
    """Trap: the old indexes lie beside the new one, and so do the parts beside the joined one."""
    store = samples(tmp_path)
    kept: dict[Path, bytes] = {}
    for part in range(12):
        store.add({key(part % 5): Reply(f"t{part}"), key(100 + part): Reply(f"u{part}")}, "near")
        kept |= {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    wanted = [key(n) for n in (*range(5), *range(100, 112))]
    before = store.find(wanted, "mine")
    store.join("near")
    for path, data in kept.items():
        path.write_bytes(data)
    assert store.find(wanted, "mine") == before
    assert store.find(wanted, "near") == before
    assert {r.text for k, r in before.items() if k in wanted[:5]} == {f"t{n}" for n in range(5)}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 3), st.sets(st.integers(0, 30), min_size=1, max_size=5)),
        st.tuples(st.just("join"), st.integers(0, 3), st.just(set())),
        st.tuples(st.just("lose an index"), st.integers(0, 9), st.just(set())),
        st.tuples(st.just("another process"), st.just(0), st.just(set())),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_every_answer_is_found(
    steps: list[tuple[str, int, set[int]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("samples")
    store, paid = samples(root), set[int]()
    for what, number, keys in steps:
        if what == "add":
            store.add({key(n): Reply(f"text of {n}") for n in keys}, f"near{number}")
            paid |= keys
        elif what == "join":
            store.join(f"near{number}")
        elif what == "lose an index":
            for index in keys_below(store.store, store.index.folder)[number : number + 1]:
                (root / index).unlink()
        else:
            store.index.forget(keys_below(store.store, store.folder))
            store = samples(root)
        found = store.find([key(n) for n in range(31)], "near0")
        assert {k: r.text for k, r in found.items()} == {key(n): f"text of {n}" for n in paid}


def test_writers_and_readers_at_once_lose_nothing(tmp_path: Path) -> None:
    def work(writer: int) -> None:
        mine = samples(tmp_path)
        for n in range(8):
            mine.add({key(100 * writer + n): Reply(f"{writer} {n}")}, f"near{writer % 2}")
            if n % 3 == 2:
                mine.join(f"near{writer % 2}")
            known = [key(100 * writer + k) for k in range(n + 1)]
            assert set(mine.find(known, "elsewhere")) == set(known)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))


def test_indexes_stay_few_and_forget_parts_that_are_gone(tmp_path: Path) -> None:
    store = samples(tmp_path)
    for part in range(60):
        store.add({key(2 * part): Reply("a"), key(2 * part + 1): Reply("b")}, f"near{part // 10}")
        if part % 10 == 9:
            store.join(f"near{part // 10}")
    assert len(keys_below(store.store, store.folder)) == 6
    assert len(keys_below(store.store, store.index.folder)) <= 6
    assert len(store.find([key(n) for n in range(120)], "mine")) == 120


def test_the_beginnings_of_keys_are_read_as_they_lie() -> None:
    numbers = [random.Random(n).getrandbits(256) for n in range(50)]
    keys = pa.array([n.to_bytes(32, "big") for n in numbers], pa.binary(32))
    expected = np.array([n >> 192 for n in numbers], np.uint64)
    assert (heads_of(keys) == expected).all()
    assert (heads_of(keys.slice(7, 20)) == expected[7:27]).all()
    assert (heads_of(pa.chunked_array([keys.slice(3, 4), keys.slice(30)])) == np.r_[expected[3:7], expected[30:]]).all()
    assert not len(heads_of(keys.slice(0, 0)))
