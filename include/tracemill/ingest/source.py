"""What a source is: where problems (and perhaps responses) come from, cut into slices that never change their content.

A source is one frozen object; `plan` cuts it into slices, `read` turns one slice into rows. Both touch only the data;
neither decides whether a row is any good: a row that is not as documented is raised as RowError and quarantined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar
from unicodedata import category

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tracemill.engine.resources import Resources

MISSING = frozenset(("", "nan", "nat", "null", "<na>"))  # in lower case; "none" and "n/a" can be answers
_NO_QUESTION = MISSING | {"none", "n/a"}


def asks_nothing(prompt: str) -> bool:
    """Whether a prompt is blank, marks alone, or what data frames and databases write for a missing value.

    OpenCodeReasoning has "-" where a question lies in another data set: a hundred thousand answers to one problem.
    """
    told = any(category(mark)[0] in "LNS" for mark in prompt)
    return not told or prompt.strip().lower() in _NO_QUESTION


class RowError(ValueError):
    """One source row is not what the source documents. `reason` is a word for the ledger, the text says the rest."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Slice(BaseModel):
    """A run of consecutive rows of one source: rows `start` to `stop` (exclusive) of `file`; `sha256` of its content.

    `offset` and `length` are bytes in the file where the format has them, so that a slice is read without the rest.
    `revision` is the Hub revision or the file's digest; `planned_as` the path under which it was first planned.
    """

    model_config = ConfigDict(frozen=True)
    source: str
    file: str
    start: int
    stop: int
    sha256: str
    revision: str
    offset: int | None = None
    length: int | None = None
    planned_as: str | None = None

    @property
    def named(self) -> str:
        """The file's part of a row's name: the path under which its content was first planned."""
        return self.planned_as or self.file


class Response(BaseModel):
    """An existing response to a problem, as the source has it. `text` may carry a chain of thought in any known style;
    a source that keeps the chain in a column of its own gives it as `thinking`, and `text` is the answer alone.
    `source` is the release name of where the response comes from, when that is not the problem's source.
    """

    model_config = ConfigDict(frozen=True)
    teacher: str
    text: str
    thinking: str | None = None
    sample_index: int = 0
    finish_reason: str | None = None
    verdict: bool | None = None
    source: str | None = None


class SourceRow(BaseModel):
    """One source row, understood: the problem and its responses. Ids and splitting are ingest's business.

    `native_id` is the source's own id, "" where it has none: it decides nothing, for a row is named by its place.
    `published` is the day on which the problem came out, where it is known.
    """

    model_config = ConfigDict(frozen=True)
    prompt: str
    native_id: str = ""
    messages: tuple[dict[str, str], ...] | None = None
    category: str | None = None
    reference_answer: str | None = None
    test_case: dict[str, Any] | None = None
    constraints: dict[str, Any] | None = None
    difficulty: str | None = None
    difficulty_score: float | None = None
    reference_solution: str | None = None
    comparison: dict[str, Any] | None = None
    license: str | None = None
    published: str | None = None
    responses: tuple[Response, ...] = ()

    @field_validator("reference_answer")
    @classmethod
    def _no_word_for_missing(cls, reference: str | None) -> str | None:
        """Blank, or what data frames and databases write for a missing value, is no reference answer."""
        written = (reference or "").strip()
        return None if written.lower() in MISSING else written


class RawRow(BaseModel):
    """One row before it is understood: its number in the file, its text for the quarantine, its value or the error."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    row: int
    text: str
    value: Any = None
    error: RowError | None = None


class Source(BaseModel):
    """Base of every source. Subclasses add `kind`, the columns they need, and `understand`.

    `rank` orders sources when duplicates meet: the lower one's row is kept, all else equal. `license` and `category`
    are for rows that carry none of their own. `limit`: at most so many rows. `released_as`: what a release calls the
    source; by default the name that the 1.4M paper's release has for it, else `name`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    rank: int = 0
    license: str | None = None
    category: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    released_as: Annotated[str, Field(min_length=1)] | None = None

    version: ClassVar[int] = 4
    documented: ClassVar[tuple[str, ...]] = ()  # columns that a row of this source has
    published_as: ClassVar[str | None] = None  # the source's name in AM-DeepSeek-R1-Distilled-1.4M (its card)

    @property
    def release_name(self) -> str:
        """What a release calls the source, and existing responses that it has."""
        return self.released_as or self.published_as or self.name

    def state(self, resources: Resources) -> str:
        """A digest of what the source holds now; the plan is made anew when it changes."""
        raise NotImplementedError  # abstract

    def plan(self, resources: Resources, rows_per_shard: int, earlier: Sequence[Slice] = ()) -> list[Slice]:
        """Cut the source into slices of at most `rows_per_shard` rows.

        `earlier` are this source's slices of the last plan: rows they cover are cut at the same places, and a slice
        whose content is unchanged comes back as it was. Raises SourceError when the source is missing, empty, or
        lacks a documented column.
        """
        raise NotImplementedError  # abstract

    def read(self, resources: Resources, part: Slice) -> Iterator[RawRow]:
        """The rows of one slice, in order. Raises SourceError when the slice is no longer what was planned."""
        raise NotImplementedError  # abstract

    def understand(self, value: Any) -> SourceRow:
        """Map one native row. Raises RowError for a row that is not as documented."""
        raise NotImplementedError  # abstract
