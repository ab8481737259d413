"""Finds what earlier steps laid out for a training on the store, and brings it to this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from tracemill.engine.copies import copied
from tracemill.engine.step import Inputs
from tracemill.engine.store import Manifest, Store, StoredFile
from tracemill.engine.tables.training import CURVES, PROOFS
from tracemill.errors import MissingInput
from tracemill.release.trainers.folder import MARK, rows_of
from tracemill.train.prove import LAYOUT, PROOF, TOKENIZER

WEIGHTS = ".safetensors"
CARD = "README.md"
_CUT = ("thinking_cut", "answer_cut", "end_cut")
_UNRENDERED = ("null", "refused")  # faults of rows that are no text at all
_RELEASE_CARD = f"{LAYOUT}/RELEASE.md"


@dataclass(frozen=True)
class Laid:
    """What the last `prove` step before a training sealed."""

    store: Store
    manifest: Manifest

    @property
    def rows(self) -> dict[str, StoredFile]:
        """The files of rows, by name, in order."""
        files = _below(self.manifest, LAYOUT)
        parts = json.loads(self.store.read_bytes(files[MARK].key))["rows"]
        return {name: files[name] for name in rows_of(parts, files)}

    def digests(self) -> list[list[str | int]]:
        """What a training depends on: rows, template, tokenizer and what was proved; not the cards."""
        files = {name: one for name, one in sorted(self.manifest.files.items()) if not name.endswith(".md")}
        return [[self.manifest.step, 0, name, one.sha256] for name, one in files.items()]

    def ids(self) -> pa.ChunkedArray:
        """The id of every row, in order."""
        parts = [self.store.get_table(stored, ["id"])["id"] for stored in self.rows.values()]
        return pa.chunked_array([chunk for part in parts for chunk in part.chunks], pa.string())

    def too_long(self) -> list[str]:
        """The ids of the rows that are longer than `max_length`."""
        return list(self._with_fault(_CUT))

    def unrendered(self) -> dict[str, str]:
        """The rows of which the template makes no text, by id with their fault: no trainer can take them."""
        return self._with_fault(_UNRENDERED)

    def _with_fault(self, named: tuple[str, ...]) -> dict[str, str]:
        faults = self.store.get_table(self.manifest.tables[PROOFS.name], ["generation_id", "fault"])
        such = faults.filter(pc.is_in(faults["fault"], value_set=pa.array(named)))
        return dict(zip(such["generation_id"].to_pylist(), such["fault"].to_pylist(), strict=True))

    def about(self) -> dict[str, Any]:
        """What was proved: template, layout, max_length, rows."""
        found: dict[str, Any] = json.loads(self.store.read_bytes(self.manifest.files[PROOF].key))
        return found

    def release_head(self) -> dict[str, Any]:
        """What the release's card says for programs: its title, licence and languages."""
        text = self.store.read_bytes(self.manifest.files[_RELEASE_CARD].key).decode()
        parts = text.split("---\n", 2)
        return (yaml.safe_load(parts[1]) or {}) if len(parts) == 3 and not parts[0] else {}

    def rows_here(self, folder: Path) -> tuple[str, ...]:
        """The files of rows on this machine: where they lie, or copied to `folder`."""
        if self.store.on_disk:
            return tuple(self.store.path(stored.key) for stored in self.rows.values())
        return tuple(str(copied(self.store, stored, folder / name)) for name, stored in self.rows.items())

    def tokenizer_here(self, folder: Path) -> Path:
        """The tokenizer, with the proved template as its own, in `folder`."""
        return brought(self.store, _below(self.manifest, TOKENIZER), folder)


def laid(inputs: Inputs) -> Laid:
    """Raises MissingInput where no step has proved a release."""
    found = [manifest for manifest in inputs.whole if PROOF in manifest.files]
    if not found:
        raise MissingInput("nothing was laid out to train on: put a step of kind prove before the training")
    return Laid(inputs.store, found[-1])


def student_before(inputs: Inputs) -> Manifest:
    """The student of the last training before a step. Raises MissingInput where there is none."""
    found = [manifest for manifest in inputs.whole if CURVES.name in manifest.tables]
    if not found:
        raise MissingInput("there is no student yet to go on from: name the weights to begin with as `base`")
    return found[-1]


def model_files(student: Manifest) -> dict[str, StoredFile]:
    """The files of a student that a training or a server loads."""
    return {name: one for name, one in student.files.items() if name.endswith((".json", ".jinja", WEIGHTS))}


def brought(store: Store, files: Mapping[str, StoredFile], folder: Path) -> Path:
    """Copy files of a store to a folder of this machine."""
    for name, stored in files.items():
        copied(store, stored, folder / name)
    return folder


def _below(manifest: Manifest, folder: str) -> dict[str, StoredFile]:
    head = f"{folder}/"
    return {name.removeprefix(head): one for name, one in manifest.files.items() if name.startswith(head)}
