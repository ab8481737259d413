"""Writes the dataset: every surviving response in the published layout, its card, figures and funnel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field, field_validator, model_validator

from tracemill.engine.ids import Unit
from tracemill.engine.objects import store_io
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.store import Manifest, canonical_digest
from tracemill.engine.tables.dedup import MUTANTS
from tracemill.engine.tables.training import RELEASED
from tracemill.engine.tally import Stage, add_up
from tracemill.release.calibration import Calibration
from tracemill.release.card import dataset_card
from tracemill.release.distributions import draw_distributions
from tracemill.release.figures import draw_figures
from tracemill.release.forecasted import forecast_section
from tracemill.release.models import logprobs_section, models_section
from tracemill.release.parts import Name, Parts, Sample
from tracemill.release.proof.section import CardProof, proof_section
from tracemill.release.revocations import REASON, Revocation, recalled, revocations, revoked_material
from tracemill.release.rows import ReleasedRow, released_rows
from tracemill.release.tally import Tally
from tracemill.release.trainers.folder import Wanted, export
from tracemill.release.trainers.opened import release_folder
from tracemill.release.writer import METADATA_FILE, ReleaseWriter

_EVIDENCE = ["benchmark", "rule", "score", "threshold", "contaminated"]


class Release(Step):
    """One dataset from all shards, in shard order: see docs/design/release.md for its files.

    `file` names the data files, `title` and `description` open the card. `apart` gives rows of some response sources
    files of their own ({NAME: [source, ...]}), `samples` lays random rows of a file beside it. `layouts` adds a folder
    `layouts/LAYOUT` for each layout named, as `tracemill export` writes it (docs/design/training.md). `proof` proves
    all rows against a trainer's template, and the card says what came of it. The bytes depend on the rows, the counts
    and the settings of the steps before it, and the card on what their manifests say of the models they asked; not on
    clocks, machines or the order in which shards were sealed. What a recall has revoked on this store is left out:
    rejected as `revoked`, the benchmark item as detail.
    """

    kind: Literal["release"]
    title: str = "tracemill release"
    description: str = "Verified reasoning traces, made by tracemill."
    file: Name = "train"
    apart: dict[Name, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)
    samples: dict[Name, Sample] = Field(default_factory=dict)
    layouts: tuple[Wanted, ...] = Field(default=(), exclude_if=lambda wanted: not wanted)
    proof: CardProof | None = Field(default=None, exclude_if=lambda wanted: wanted is None)

    @field_validator("layouts", mode="before")
    @classmethod
    def _named_alone(cls, given: Any) -> Any:
        """A layout without settings may be its name alone."""
        return [{"layout": one} if isinstance(one, str) else one for one in given] if isinstance(given, list) else given

    @model_validator(mode="after")
    def _one_place_for_each_row(self) -> Self:
        names = [self.file, *self.apart, *self.samples]
        sources = [source for named in self.apart.values() for source in named]
        if len(set(names)) < len(names) or len(set(sources)) < len(sources):
            raise ValueError("file, apart and samples must name different files, and a response source goes to one")
        if METADATA_FILE.removesuffix(".parquet") in names:
            raise ValueError(f"{METADATA_FILE} is about all rows: name the file of rows otherwise")
        for name, sample in self.samples.items():
            if sample.of not in (self.file, *self.apart):
                raise ValueError(f"sample {name!r} is of {sample.of!r}, which is no file of this release")
        laid = [wanted.layout for wanted in self.layouts]
        if twice := sorted({layout for layout in laid if laid.count(layout) > 1}):
            raise ValueError(f"layouts has {', '.join(twice)} twice, and each has one folder: leave one out")
        return self

    version: ClassVar[int] = 4
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = (
        "problems",
        "generations",
        "provenance",
        "labels",
        "annotations",
        "measurements",
        "continuations",
        "cuts",
        "contamination",
        MUTANTS.name,
        "verdicts",
        "opinions",
        "rewards",
        "grades",
        "selected",
        "forecasts",
        "ledger",
    )
    writes: ClassVar[tuple[str, ...]] = (RELEASED.name,)

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """The settings without where a proof's template and tokenizer lie: what they say is material."""
        own = super().settings(inputs)
        return {**own, "proof": self.proof.content} if self.proof else own

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The settings of earlier steps (the card states them, also where they changed no row) and what is revoked."""
        own = self.proof.digests(resources) if self.proof else {}
        return {"settings": canonical_digest(_settings(inputs)), **own, **revoked_material(recalled(inputs.store))}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Stream all shards once through the writer and the counters; then card, figures and funnel from the counts."""
        tally = Tally()
        believed = Calibration()
        ids = list[str]()
        revoked = revocations(inputs.store)
        out = dict[str, Revocation]()
        with ReleaseWriter(resources.scratch, Parts(self.file, self.apart, self.samples)) as writer:
            for shard in inputs.shards():
                released = set[str]()
                for every in released_rows(inputs, shard):
                    rows = _without(every, revoked, out)
                    writer.write(rows)
                    tally.add(rows)
                    ids.extend(row.generation["id"] for row in rows)
                    released.update(row.problem["id"] for row in rows)
                tally.problems += len(released)
                believed.add(inputs, shard)
                for batch in inputs.batches("contamination", _EVIDENCE, shard):
                    tally.add_evidence(batch.to_pylist())
                for batch in inputs.batches("opinions", ["judge", "verified", "judged"], shard):
                    tally.add_opinions(batch.to_pylist())
                for batch in inputs.batches(MUTANTS.name, shard=shard):
                    tally.add_mutants(batch.to_pylist())
        named = {name: f"{name}.jsonl.zst" for name in writer.rows}
        named |= {name: f"{name}.jsonl" for name in self.samples if f"{name}.jsonl" in writer.files}
        told = believed.section()
        if self.proof and tally.rows:
            told += proof_section(self.proof, resources.scratch, tally.rows, resources)
        files = {**writer.files, **self._about(tally, told, named, len(out), inputs, resources.scratch)}
        ledger = pa.concat_tables([ledger_rows("generation", ids), _revoked_rows(out)])
        return Output(ledger=ledger, files=files)

    def _about(
        self, tally: Tally, told: str, named: dict[str, str], revoked: int, inputs: Inputs, folder: Path
    ) -> dict[str, Path]:
        """The card, the funnel and the figures as files below `folder`, by their names in the release."""
        stages = [*_stages(inputs), _own_stage(tally, revoked)]
        cuts = inputs.table("cuts").to_pylist()
        late = recalled(inputs.store)
        every = [manifest for sealed in _steps(inputs).values() for manifest in sealed]
        asked = models_section((one.step, one.made_with) for one in every)
        models = told + asked + forecast_section(inputs) + logprobs_section(every)
        card = dataset_card(self.title, self.description, named, tally, stages, _settings(inputs), cuts, late, models)
        funnel = {"steps": [stage.model_dump(exclude={"seconds", "missing"}) for stage in stages]}
        texts = {"README.md": card, "funnel.json": json.dumps(funnel, indent=1, ensure_ascii=False) + "\n"}
        with store_io("cannot write the release's scratch files"):
            for name, text in texts.items():
                (folder / name).write_text(text, encoding="utf-8")
            figures = {**draw_figures(tally, folder), **draw_distributions(cuts, folder)}
        return {**{name: folder / name for name in texts}, **figures, **self._laid_out(folder, tally.rows)}

    def _laid_out(self, folder: Path, rows: int) -> dict[str, Path]:
        """The release in the other layouts that are wanted; a release without rows has none."""
        files: dict[str, Path] = {}
        for wanted in self.layouts if rows else ():
            place = folder / "layouts" / wanted.layout
            export(release_folder(folder), wanted, place, lambda _: None)
            made = sorted(path for path in place.rglob("*") if path.is_file())
            files |= {f"layouts/{wanted.layout}/{path.relative_to(place).as_posix()}": path for path in made}
        return files


def _steps(inputs: Inputs) -> dict[str, list[Manifest]]:
    """The manifests of the mapped steps before the release, by step, in recipe order."""
    steps: dict[str, list[Manifest]] = {}
    for shard in inputs.shards():
        for manifest in inputs.sealed[shard]:
            steps.setdefault(manifest.step, []).append(manifest)
    return steps


def _stages(inputs: Inputs) -> Iterable[Stage]:
    for step, manifests in _steps(inputs).items():
        yield add_up(step, manifests[0].unit, "map", manifests)


def _without(
    rows: list[ReleasedRow], revoked: Mapping[str, Revocation], out: dict[str, Revocation]
) -> list[ReleasedRow]:
    """The rows whose problem is not revoked; the others' generation ids go into `out`."""
    out |= {row.generation["id"]: revoked[row.problem["id"]] for row in rows if row.problem["id"] in revoked}
    return [row for row in rows if row.problem["id"] not in revoked]


def _revoked_rows(out: Mapping[str, Revocation]) -> pa.Table:
    lines = list(out.values())
    return ledger_rows(
        "generation",
        list(out),
        "rejected",
        REASON,
        [line.score for line in lines],
        [line.threshold for line in lines],
        [f"{line.benchmark}/{line.item} by {line.rule}" for line in lines],
    )


def _own_stage(tally: Tally, revoked: int) -> Stage:
    return Stage(
        step="release",
        unit="generation",
        shape="gather",
        entered=tally.rows + revoked,
        kept=tally.rows,
        rejected={REASON: revoked} if revoked else {},
        quarantined={},
        tables={},
        shards=1,
    )


def _settings(inputs: Inputs) -> dict[str, Any]:
    """The settings of each mapped step, without a shard's own place; a list where they differ between shards."""
    found: dict[str, Any] = {}
    for step, manifests in _steps(inputs).items():
        shared = [{k: v for k, v in manifest.settings.items() if k != "slice"} for manifest in manifests]
        kinds = {canonical_digest(settings): settings for settings in shared}
        found[step] = next(iter(kinds.values())) if len(kinds) == 1 else list(kinds.values())
    return found
