"""Small steps, a recipe of them and a store that dies where it is told: parts to test the runner and the store with."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem
from pydantic import Field, SerializeAsAny

from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.store import Store
from tracemill.engine.tables import columns_of
from tracemill.ingest.demo import DemoSource
from tracemill.recipe import Recipe


class FakePlan(Step):
    """A plan of so many shards, without any source."""

    kind: Literal["fake_plan"] = "fake_plan"
    shards: int = 2

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "row"
    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ("plan",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        schema = columns_of("plan")
        rows = [{"index": k, "source": "fake", "file": f"{k}.jsonl"} for k in range(self.shards)]
        table = pa.Table.from_pylist(rows, schema=schema)
        return Output(ledger=ledger_rows("row", [f"fake/{k}" for k in range(self.shards)]), tables={"plan": table})


class FakeIngest(Step):
    """Problems made of their shard and number; `random` gives other texts each time it runs, as a teacher would."""

    kind: Literal["fake_ingest"] = "fake_ingest"
    rows: int = 5
    random: bool = False

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "row"
    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ("problems",)

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        salt = os.urandom(4).hex() if self.random else ""
        rows = [{"id": f"p{inputs.index}-{k}{salt}", "prompt": f"What is {k}?"} for k in range(self.rows)]
        problems = pa.Table.from_pylist(rows, schema=columns_of("problems"))
        return Output(ledger=ledger_rows("row", [row["id"] for row in rows]), tables={"problems": problems})


class Sieve(Step):
    """Rejects problems whose id's digest is divisible by `by`; `fault` makes it break the rules of a step."""

    kind: Literal["sieve"] = "sieve"
    by: int = 3
    fault: Literal["", "lose", "double", "invent", "raise", "die"] = ""
    file: str | None = None

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("labels",)

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        return {"file": Path(self.file).read_text(encoding="utf-8")} if self.file else {}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        ids = inputs.alive("problem").to_pylist()
        if self.fault == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "raise":
            raise OSError("the model server went away")
        broken = {"lose": ids[1:], "double": [*ids, ids[0]], "invent": [*ids, "p-of-nobody"]}
        ids = broken.get(self.fault, ids)
        out = [int(hashlib.sha256(i.encode()).hexdigest(), 16) % self.by == 0 for i in ids]
        labels = pa.Table.from_pylist([{"problem_id": i, "words": 3} for i in ids], schema=columns_of("labels"))
        buckets: list[Any] = ["rejected" if gone else "kept" for gone in out]
        reasons = ["divisible" if gone else None for gone in out]
        return Output(ledger=ledger_rows("problem", ids, buckets, reasons), tables={"labels": labels})


class Gather(Step):
    """One file with the ids of all living problems."""

    kind: Literal["gather"] = "gather"

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = ()

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        ids = [i for shard in inputs.shards() for i in inputs.alive("problem", shard).to_pylist()]
        path = resources.scratch / "ids.txt"
        path.write_text("\n".join(ids), encoding="utf-8")
        return Output(ledger=ledger_rows("problem", ids), files={"ids.txt": path})


class FakeRecipe(Recipe):
    """A recipe whose pipeline is exactly the steps it is given."""

    fakes: dict[str, SerializeAsAny[Step]] = Field(exclude=True)

    def pipeline(self) -> dict[str, Step]:
        return dict(self.fakes)


def fake_recipe(name: str = "fake", /, **steps: Step) -> FakeRecipe:
    """plan, ingest, sieve and gather, with some of them replaced."""
    usual: dict[str, Step] = {"plan": FakePlan(), "ingest": FakeIngest(), "sieve": Sieve(), "gather": Gather()}
    source = DemoSource(kind="demo", name="unused", part="maths")
    return FakeRecipe(name=name, description="", sources=(source,), steps={}, fakes={**usual, **steps})


class MortalStore(Store):
    """A store on the local disk whose process is killed (SIGKILL) at one place of one write.

    `victim` is a part of the key that is being written; `moment` is before the write, between the copy and its
    renaming ("half"), or after it.
    """

    def __init__(self, store: Store, victim: str, moment: str) -> None:
        super().__init__(store.fs, store.root)
        self.victim, self.moment = victim, moment

    def _put_local(self, local: Path, target: str, commit: Callable[[Path, Path], object]) -> None:
        def deadly(part: Path, place: Path) -> None:
            self._die_at("half", target)
            commit(part, place)

        self._die_at("before", target)
        super()._put_local(local, target, deadly)
        self._die_at("after", target)

    def _die_at(self, moment: str, target: str) -> None:
        if moment == self.moment and self.victim in target:
            os.kill(os.getpid(), signal.SIGKILL)


class SickDisk(LocalFileSystem):  # type: ignore[misc]
    """A local disk whose reads or writes fail as told; a failing write leaves half of its bytes behind first."""

    cachable = False

    def __init__(self, reading: OSError | None = None, writing: OSError | None = None) -> None:
        super().__init__()
        self.reading, self.writing = reading, writing

    def cat_file(self, path: str, *arguments: Any, **options: Any) -> bytes:
        if self.reading is not None:
            raise self.reading
        content: bytes = super().cat_file(path, *arguments, **options)
        return content

    def put_file(self, lpath: str, rpath: str, *arguments: Any, **options: Any) -> None:
        if self.writing is not None:
            data = Path(lpath).read_bytes()
            Path(rpath).write_bytes(data[: len(data) // 2])
            raise self.writing
        super().put_file(lpath, rpath, *arguments, **options)


def run_mortal(recipe: FakeRecipe, root: str, victim: str, moment: str) -> None:
    """Run shard 0 of the sieve in this process, which dies on the way (see MortalStore)."""
    run_shard(recipe, MortalStore(Store.at(root), victim, moment), "sieve", 0, Resources(workers=1))


def run_at_once(recipe: FakeRecipe, root: str, start: Barrier) -> None:
    """Run every shard of every step; `start` lets the copies begin each step at the same moment."""
    store = Store.at(root)
    for name, step in recipe.pipeline().items():
        start.wait(60)
        for index in range(shard_count(store)) if step.shape == "map" else [0]:
            run_shard(recipe, store, name, index, Resources(workers=1))
