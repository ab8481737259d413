"""Trains a student on what was proved, and seals it with its card; whatever ends meanwhile, it goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import model_validator

from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of
from tracemill.engine.step import Inputs, Output, Step, kept_rows, ledger_rows
from tracemill.engine.tables.training import CURVES, PROOFS
from tracemill.errors import RecipeError
from tracemill.models.model import Model, without_serving
from tracemill.train.card import TOO_LONG, Facts, write_card
from tracemill.train.fits import require_possible
from tracemill.train.inside.job import HISTORY, MASKS, MODEL, Job
from tracemill.train.laid import Laid, brought, laid, model_files, student_before
from tracemill.train.launch import Launch
from tracemill.train.process import trained
from tracemill.train.schedule import Schedule

MASKS_SHOWN = 8  # rows
_SHOWN = 3  # ids of rows that are too long


class Train(Step):
    """Trains `base` on the rows that the last `prove` step laid out, by trl's SFTTrainer in an environment of its own.

    `base`: the weights to begin with; null: the student of the train step before. The loss is on the response alone.
    `too_long`: what to do with rows over the proof's `max_length`: refuse to train, leave them out (as the papers do),
    or cut them, which packing cannot. Kept: the rows trained on; rejected: `too_long`, and `null` and `refused` where
    the proof allows them, since such rows are no text. The files are the student's folder: weights, tokenizer,
    README.md (its card), loss.png and masks.txt. `folder`: where that is laid out, too.
    """

    kind: Literal["train"]
    base: Model | None = None
    schedule: Schedule = Schedule()  # what is learned how; by default stage one of the papers
    too_long: Literal["refuse", "leave_out", "cut"] = "refuse"
    launch: Launch = Launch()  # on which devices
    folder: str | None = None

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = (PROOFS.name, CURVES.name)
    writes: ClassVar[tuple[str, ...]] = (CURVES.name,)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        at_once = self.launch.rows_at_once * self.launch.devices
        if self.schedule.batch % at_once:
            raise ValueError(
                f"a batch of {self.schedule.batch} cannot be parted among {self.launch.devices} devices with "
                f"{self.launch.rows_at_once} rows at once: make schedule.batch a multiple of {at_once}"
            )
        if self.schedule.packing and self.too_long == "cut":
            raise ValueError("packing cuts no row: set too_long to refuse or leave_out, or schedule.packing to false")
        if self.base is not None and self.base.api is not None:
            raise ValueError("base is behind an API: a student needs weights")
        return self

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """What is learned how; neither where nor from which place on the disk."""
        stripped: dict[str, Any] = without_serving(self.model_dump(mode="json", exclude={"launch", "folder"}))
        return stripped

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The identity of the weights to begin with."""
        return {} if self.base is None else {"base": self.base.identity(resources, inputs.store)}

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """Rows, template and tokenizer as they were laid out, and the student that is gone on from."""
        found = laid(inputs).digests()
        if self.base is None:
            before = student_before(inputs)
            found += [[before.step, 0, name, one.sha256] for name, one in sorted(model_files(before).items())]
        return found

    def entering(self, inputs: Inputs) -> pa.ChunkedArray:
        """The ids of all rows that were laid out."""
        return laid(inputs).ids()

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Train to the end. Raises RecipeError for rows that are too long, and what `process.trained` raises."""
        found = laid(inputs)
        ids = found.ids()
        left = self._left_out(found, len(ids))
        identity = fingerprint_of(self, resources, inputs)
        work = resources.cache / "training" / identity
        job = self._job(resources, inputs, work, list(left), identity)
        require_possible(job, self.launch, resources)
        done = trained(job, self.launch, resources)
        curve = CURVES.of(json.loads((done / HISTORY).read_text(encoding="utf-8")))
        kept = ids.filter(pc.invert(pc.is_in(ids, value_set=pa.array(left, pa.string()))))
        facts = Facts(self._base_name(inputs), identity, found.release_head(), found.about(), len(kept), left)
        own = write_card(facts, self.schedule, curve, resources.scratch)
        files = {**{path.name: path for path in sorted((done / MODEL).iterdir())}, MASKS: work / MASKS, **own}
        most = [float(job.max_length or 0) if reason == TOO_LONG else None for reason in left.values()]
        rejected = ledger_rows("generation", list(left), "rejected", list(left.values()), threshold=most)
        ledger = pa.concat_tables([kept_rows("generation", kept), rejected])
        return Output(ledger, {CURVES.name: curve}, files=files, made_with=facts.cost(curve))

    def _left_out(self, found: Laid, rows: int) -> dict[str, str]:
        """The rows that are not trained on, by id with the reason. Raises RecipeError for what is to be refused."""
        none = found.unrendered()
        long = [one for one in found.too_long() if one not in none]
        if long and self.too_long == "refuse":
            raise RecipeError(
                f"{len(long):,} of {rows:,} rows are longer than the proof's max_length (such as "
                f"{', '.join(long[:_SHOWN])}): raise it, or set too_long to leave_out, or to cut without packing"
            )
        left = {**none, **dict.fromkeys(long if self.too_long == "leave_out" else (), TOO_LONG)}
        if len(left) == rows:
            told = "longer than the proof's max_length" + (", null, or refused by the template" if none else "")
            raise RecipeError(f"all {rows:,} rows are {told}: nothing is left to train on")
        return left

    def _base_name(self, inputs: Inputs) -> str:
        return self.base.name if self.base else f"the student of {student_before(inputs).step}"

    def _job(self, resources: Resources, inputs: Inputs, work: Path, long: list[str], identity: str) -> Job:
        found = laid(inputs)
        about = found.about()
        plan = self.schedule
        return Job(
            identity=identity,
            work=str(work),
            base=self._base_here(resources, inputs, work),
            revision=self.base.revision if self.base and not self.base.is_folder else None,
            tokenizer=str(found.tokenizer_here(work / "tokenizer")),
            rows=found.rows_here(work / "rows"),
            left_out=tuple(long),
            marked=not about["layout"].startswith("prompt_completion"),
            max_length=about["max_length"],
            packing=plan.packing,
            learning_rate=plan.learning_rate,
            warm_up=plan.warm_up,
            epochs=plan.epochs,
            batch=plan.batch,
            devices=self.launch.devices,
            per_device=self.launch.rows_at_once,
            seed=plan.seed,
            precision=plan.precision,
            attention=self.launch.attention,
            recompute=self.launch.recomputes and not self.launch.shares,
            save_every=self.launch.save_every,
            shown=MASKS_SHOWN,
            on_cpu=self.launch.gpus == 0,
            ends=about.get("ends"),
        )

    def _base_here(self, resources: Resources, inputs: Inputs, work: Path) -> str:
        if self.base is not None:
            return self.base.location(resources)
        return str(brought(inputs.store, model_files(student_before(inputs)), work / "base"))
