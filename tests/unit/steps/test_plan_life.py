"""Any life that files may lead: each row is in one shard under one name for ever, and shards keep their numbers."""

from __future__ import annotations

import gzip
import json
import tempfile
from itertools import count
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build.planned import recipe
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard
from tracemill.engine.store import Store
from tracemill.errors import SourceError
from tracemill.ingest.plan import planned
from tracemill.ingest.source import Slice

ACTS = st.tuples(st.sampled_from(["grow", "rename", "rotate", "swap", "pack", "new", "cut"]), st.integers(0, 99))


class Folder:
    """Files of numbered rows; no number is ever used twice."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers, self.names = folder, count(), count()
        self.rows: dict[str, list[int]] = {}

    def write(self) -> None:
        """Bring the folder to what `rows` says."""
        for file in self.folder.glob("*.jsonl*"):
            file.unlink()
        for name, numbers in self.rows.items():
            data = "".join(json.dumps({"q": f"{n}?"}) + "\n" for n in numbers).encode()
            (self.folder / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith("gz") else data)

    def act(self, act: str, choice: int) -> None:
        """One thing that happens to files."""
        names = sorted(self.rows)
        name, other = names[choice % len(names)], names[choice // 7 % len(names)]
        fresh = f"{choice:02}-{next(self.names)}.jsonl"
        if act == "grow":
            self.rows[name] = self.rows[name] + [next(self.numbers) for _ in range(choice % 5)]
        elif act == "rename":
            self.rows[fresh] = self.rows.pop(name)
        elif act == "rotate":
            self.rows = dict(zip([*names[1:], fresh], [self.rows[one] for one in names], strict=True))
            self.rows[names[0]] = [next(self.numbers) for _ in range(1 + choice % 4)]
        elif act == "swap":
            self.rows[name], self.rows[other] = self.rows[other], self.rows[name]
        elif act == "pack":
            self.rows[name.removesuffix(".gz") + ("" if name.endswith("gz") else ".gz")] = self.rows.pop(name)
        elif act == "cut" and len(self.rows[name]) > 1:
            self.rows[name] = self.rows[name][: 1 + choice % (len(self.rows[name]) - 1)]
        else:
            self.rows[fresh] = [next(self.numbers) for _ in range(1 + choice % 8)]


def where(parts: list[Slice], folder: Folder) -> dict[int, tuple[str, int]]:
    """The name and place of each row."""
    found: dict[int, tuple[str, int]] = {}
    for part in parts:
        numbers = folder.rows[Path(part.file).name][part.start : part.stop] if part.stop > part.start else []
        for place, number in enumerate(numbers, start=part.start):
            assert number not in found
            found[number] = (part.named, place)
    return found


@given(st.lists(ACTS, max_size=6))
@settings(max_examples=20, deadline=None)
def test_rows_keep_their_names_and_shards_their_numbers(acts: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        made = recipe(Path(scratch), "all", path=f"{scratch}/*.jsonl*")
        store = Store.at(f"{scratch}/store", create=True)
        folder = Folder(Path(scratch))
        for number in range(3):
            folder.act("new", number + 3) if number else folder.rows.update({"a.jsonl": [next(folder.numbers)] * 1})
        names: dict[int, tuple[str, int]] = {}
        shards: list[tuple[str, int]] = []
        for act, choice in [("", 0), *acts]:
            if act:
                folder.act(act, choice)
            folder.write()
            lost = removed(made, store)
            now = planned(store)
            found = where(now, folder)
            assert sorted(found) == sorted(n for numbers in folder.rows.values() for n in numbers)
            assert len(set(found.values())) == len(found)
            assert {n: found[n] for n in names if n in found} == {n: at for n, at in names.items() if n in found}
            assert [(part.named, part.start) for part in now][: len(shards)] == shards
            assert lost == len(names.keys() - found.keys())
            names, shards = names | found, [(part.named, part.start) for part in now]
            names = {n: at for n, at in names.items() if n in found}


def removed(made: object, store: Store) -> int:
    """Plan, accepting what the error says; how many rows were accepted to go."""
    accept: dict[str, int] = {}
    for _ in range(9):
        try:
            run_shard(made, store, "plan", 0, Resources(accept_removed=accept))  # type: ignore[arg-type]
            return sum(accept.values())
        except SourceError as error:
            asked = [one.split("'")[0] for one in str(error).split("--accept-removed '")[1:]]
            accept |= {one.rpartition("=")[0]: int(one.rpartition("=")[2]) for one in asked}
    raise AssertionError(accept)
