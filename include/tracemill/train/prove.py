"""Lays a release out for a trainer's template, and proves every row of it before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import model_validator

from tracemill.engine.ids import Unit
from tracemill.engine.objects import store_io
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, kept_rows
from tracemill.engine.store import Manifest, canonical_digest
from tracemill.engine.tables.training import PROOFS, RELEASED
from tracemill.errors import MissingInput, RecipeError
from tracemill.release.proof.ending import ending
from tracemill.release.proof.templates import Template, shipped
from tracemill.release.proof.wanted import Proof, class_file, proved, tokenizer_files
from tracemill.release.trainers.folder import Wanted, export
from tracemill.release.trainers.layouts import SCHEMAS
from tracemill.release.trainers.opened import release_files
from tracemill.release.writer import METADATA_FILE
from tracemill.train.telling import Progress

PROOF = "proof.json"  # what was proved, for the step that trains and for people
LAYOUT = "layout"  # the folder of the rows as the trainer reads them
TOKENIZER = "tokenizer"


class Prove(Proof, Step):
    """Proves the last release before it row by row, and lays it out for the trainer, with template and tokenizer.

    A broken limit ends the run here: no training, on whatever machine, begins with such rows. Every row is kept: what
    is wrong with one is told in `proofs`.
    """

    kind: Literal["prove"]

    version: ClassVar[int] = 3
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = (RELEASED.name,)
    writes: ClassVar[tuple[str, ...]] = (PROOFS.name,)

    @model_validator(mode="after")
    def _has_tokenizer_and_ids(self) -> Self:
        if self.tokenizer is None and (self.template in shipped() or self.template.endswith(".jinja")):
            raise ValueError(f"template {self.template} comes without tokenizer: name its folder as `tokenizer`")
        if self.layout is not None and "id" not in SCHEMAS[self.layout].names:
            raise ValueError(f"layout {self.layout} has no ids, by which rows are told: take another, or leave it out")
        return self

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """The settings without where template and tokenizer lie: what they say is material."""
        return self.content

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The template's text and the tokenizer's files."""
        return self.digests(resources)

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """The release's rows and what is said about each; not its card."""
        made = released(inputs)
        files = ((name, stored.sha256) for name, stored in sorted(made.files.items()) if name.endswith(".parquet"))
        return [[made.step, made.index, name, digest] for name, digest in files if "/" not in name]

    def entering(self, inputs: Inputs) -> pa.ChunkedArray:
        """The ids of all released rows."""
        parts = inputs.store.get_batches(released(inputs).files[METADATA_FILE], ["generation_id"])
        return pa.chunked_array([batch["generation_id"] for batch in parts], pa.string())

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Prove, then lay out. Raises RecipeError for a broken limit, MissingInput for a release without rows."""
        release = release_files(inputs.store, released(inputs).files)
        rows = release.count()
        found = proved(self, release, rows, resources, Progress("rows proved", rows, resources.tell).add)
        if found.plan.most is None:
            raise RecipeError(f"the tokenizer of {found.name} names no longest text: say max_length (tokens)")
        wanted = Wanted(layout=found.plan.layout, system=self.system)
        export(release, wanted, resources.scratch / LAYOUT, Progress("rows laid out", rows, resources.tell).add)
        ends = ending(found.plan.template, found.plan.layout)
        about = {**found.about(), "ends": ends, "release": _content(released(inputs))}
        files = _files(resources.scratch, found.plan.template, about)
        ids = self.entering(inputs)
        return Output(
            kept_rows("generation", ids), {PROOFS.name: PROOFS.of(found.faults)}, files=files, made_with=about
        )


def released(inputs: Inputs) -> Manifest:
    """The last release before a step. Raises MissingInput where the recipe has none."""
    found = [manifest for manifest in inputs.whole if METADATA_FILE in manifest.files]
    if not found:
        raise MissingInput("there is no release to prove: put a step of kind release before it")
    return found[-1]


def _content(release: Manifest) -> str:
    """The digest by which `tracemill versions` calls a release."""
    return canonical_digest({name: stored.sha256 for name, stored in release.files.items()})


def _files(scratch: Path, found: Template, about: Mapping[str, Any]) -> dict[str, Path]:
    """The layout, the tokenizer with the template as its own, and what was proved, by their names."""
    with store_io("cannot write the layout's scratch files"):
        own = scratch / "chat_template.jinja"
        own.write_text(found.text, encoding="utf-8")
        proof = scratch / PROOF
        proof.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    laid = {f"{LAYOUT}/{path.name}": path for path in sorted((scratch / LAYOUT).iterdir())}
    of_class = class_file(found)
    read = (*tokenizer_files(found), *([of_class] if of_class else []), own)
    cutting = {f"{TOKENIZER}/{path.name}": path for path in read}
    return {**laid, **cutting, PROOF: proof}
