"""What a recipe says of a proof: against which template and tokenizer, and how many rows may have which fault."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.release.proof.batch import Line
from tracemill.release.proof.limits import Limits, limits
from tracemill.release.proof.proving import Plan, Totals, checked, prove
from tracemill.release.proof.recommended import recommended
from tracemill.release.proof.templates import Template, shipped, template
from tracemill.release.trainers.layouts import AM_SYSTEM, LayoutName
from tracemill.release.trainers.opened import Opened

_ROWS_A_WORKER = 2_000  # fewer are proved before another process is up
_SHOWN = 3  # ids of rows with a fault
# What a tokenizer's folder may hold of it, beside a model's weights.
_OF_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "tokenizer.model",
)
_OF_MODEL = "config.json"


class Proof(BaseModel):
    """Every row is rendered by `template` and cut into tokens by `tokenizer`, as `tracemill prove` does.

    `template`: one of trl's by its name or a .jinja file, with the folder of a `tokenizer` beside it, or a tokenizer's
    folder alone. `layout`: by default the one that this template keeps whole. `at_most`: how many rows may have which
    fault, as {thinking_cut: 0.5%, any: 10}; what is not named may not be at all, and a broken limit ends the run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    template: str
    tokenizer: str | None = None
    max_length: Annotated[int, Field(ge=1)] | None = None  # tokens; null: the most that the tokenizer names
    layout: LayoutName | None = None
    system: Annotated[str, Field(min_length=1)] | None = None  # `am`: the prompt of arXiv 2503.19633, table 1
    at_most: dict[str, int | float | str] = Field(default_factory=dict)

    @field_validator("at_most")
    @classmethod
    def _of_known_faults(cls, given: dict[str, int | float | str]) -> dict[str, int | float | str]:
        try:
            limits(f"{fault}={most}" for fault, most in given.items())
        except RecipeError as error:
            raise ValueError(str(error)) from error
        return given

    @property
    def prompt(self) -> str | None:
        """The system prompt's text."""
        return AM_SYSTEM if self.system == "am" else self.system

    @property
    def allowed(self) -> Limits:
        """How many rows may have which fault."""
        return limits(f"{fault}={most}" for fault, most in self.at_most.items())

    @property
    def content(self) -> dict[str, Any]:
        """The settings without where template and tokenizer lie."""
        return self.model_dump(mode="json", exclude={"template", "tokenizer"})

    def digests(self, resources: Resources) -> dict[str, str]:
        """What template and tokenizer say, by content: where they lie is no part of an identity."""
        found = self.found(resources)
        files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tokenizer_files(found)}
        text = hashlib.sha256(found.text.encode()).hexdigest()
        return {"template": text, **{f"tokenizer {name}": digest for name, digest in sorted(files.items())}}

    def found(self, resources: Resources) -> Template:
        """The template with its tokenizer. Raises RecipeError where there is none."""
        name = self.template if self.template in shipped() else str(resources.path(self.template))
        return template(name, str(resources.path(self.tokenizer)) if self.tokenizer else None)

    def plan(self, resources: Resources) -> Plan:
        """What rows are proved against. Raises RecipeError for a template that keeps rows whole in no layout."""
        found = self.found(resources)
        layout = self.layout
        if layout is None:
            advised = recommended(found)
            if advised.layout is None:
                raise RecipeError(f"template {found.name} keeps rows whole in no layout ({advised.reason})")
            layout = advised.layout
        return checked(Plan(found, layout, self.prompt, self.max_length))


@dataclass
class Proved:
    """What a proof found: the totals, and a line for each row and fault."""

    plan: Plan
    totals: Totals = field(default_factory=Totals)
    faults: list[dict[str, str]] = field(default_factory=list)

    def note(self, line: Line) -> None:
        """Keep what was found of a row."""
        self.faults += [{"generation_id": line.id, "fault": one.fault, "detail": one.detail} for one in line.found]

    @property
    def name(self) -> str:
        """The template's name, without where it lies."""
        return Path(self.plan.template.name).name

    def about(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "template": self.name,
            "layout": self.plan.layout,
            "system": self.plan.system,
            "max_length": self.plan.most,
            "rows": self.totals.rows,
            "whole": self.totals.whole,
            "faults": dict(sorted(self.totals.faults.items())),
        }


def proved(wanted: Proof, release: Opened, rows: int, resources: Resources, tell: Callable[[int], None]) -> Proved:
    """Prove all rows of a release. Raises RecipeError where more of them have a fault than may, with counts and ids."""
    found = Proved(wanted.plan(resources))
    batches = (pair for part in release.parts for pair in release.rows(part))
    workers = min(resources.workers, -(-rows // _ROWS_A_WORKER))
    found.totals = prove(batches, found.plan, workers, tell, found.note)
    broken = wanted.allowed.broken(found.totals)
    if broken:
        raise RecipeError(_told(found, broken))
    return found


def tokenizer_files(found: Template) -> list[Path]:
    """The files of a template's tokenizer; none without one."""
    folder = Path(found.folder) if found.folder else None
    return [folder / name for name in _OF_TOKENIZER if (folder / name).is_file()] if folder else []


def class_file(found: Template) -> Path | None:
    """The model's config.json beside a tokenizer, by which transformers chooses the class that reads its files; a class
    of its own (Qwen2Tokenizer) parts and composes texts as it likes, whatever tokenizer.json says.

    It is no part of an identity: of the same model it changes nothing.
    """
    path = Path(found.folder) / _OF_MODEL if found.folder else None
    return path if path is not None and path.is_file() else None


def _told(found: Proved, broken: list[str]) -> str:
    named: Mapping[str, list[str]] = {
        fault: [line["generation_id"] for line in found.faults if line["fault"] == fault]
        for fault in found.totals.faults
    }
    such = "; ".join(f"{fault} in {', '.join(ids[:_SHOWN])}" for fault, ids in named.items())
    return (
        f"{found.totals.rows - found.totals.whole:,} of {found.totals.rows:,} rows would not be learned whole by the "
        f"template {found.name} in the layout {found.plan.layout}: {'; '.join(broken)} (such as {such}). `tracemill "
        "prove` lists them all; take them out, or allow them in at_most"
    )
