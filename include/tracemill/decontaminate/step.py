"""Turns away problems that give away a benchmark, and keeps the evidence: which item, by which rule, how strong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from tracemill.decontaminate import retold
from tracemill.decontaminate.benchmark import Benchmark
from tracemill.decontaminate.kept import item_vectors
from tracemill.decontaminate.matching import Items, Matches, Problems, matches, strongest
from tracemill.decontaminate.self_test import measured
from tracemill.embedders import AnyEmbedder
from tracemill.engine.ids import Bucket, Unit
from tracemill.engine.objects import ObjectStore
from tracemill.engine.packed import unpacked
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, ledger_rows
from tracemill.engine.tables import columns_of, empty
from tracemill.engine.tables.dedup import CONTAMINATION_RULES, MUTANTS, TEMPLATES
from tracemill.errors import RecipeError
from tracemill.judge.overlap import OverlapJudge
from tracemill.judge.prompts import prompt_digest
from tracemill.models.session import Feed
from tracemill.models.step import AskingStep

Share = Annotated[float, Field(gt=0, le=1)]
JUDGE = "judge"
UNSIGNED = (
    "the rule `embedding` of step decontaminate needs vectors, but the recipe has no step of kind sign before it: "
    "add one, or set `embedding: null`"
)
FLOOR = 0.9  # evidence is kept from this part of a threshold on


class Decontaminate(AskingStep):
    """Five rules, the first that hits gives the reason: `contaminated_exact`, `_ngram`, `_alignment`, `_embedding`,
    `_template`.

    exact: the question as tokenised. ngram: the share of an item's word n-grams that the problem has reaches `ngram`;
    an n-gram of several items counts less (any shared 8-gram, as open-r1 has it, flags a quarter of old AIME
    problems for their boiler-plate). embedding: cosine with an item, by default from what the
    embedder is calibrated to (DeepDistill, section 2.2, cuts at 0.9, which in one space is a copy and in another the
    same exercise with other numbers). alignment:
    quantities, formulas and concepts agree, in whatever words, English or Chinese. template: as ngram, with numbers
    and names abstracted, on items of at least `template_words` words. null turns a rule off. What is shared must be of
    the item's question: a quotation, an identity or the form of a multiple-choice question decides nothing.
    `judge` names a model that is asked about pairs whose alignment is in doubt (reason `contaminated_judge`).
    Shard 0 also says what the rules catch of the benchmarks' own items when they are changed, and of
    exercises of tracemill's own in another language or other words (table `mutants`).
    """

    kind: Literal["decontaminate"]
    benchmarks: Annotated[tuple[Benchmark, ...], Field(min_length=1)]
    embedder: AnyEmbedder
    n: Annotated[int, Field(ge=2, le=50)] = 8  # words of an n-gram
    ngram: Share | None = 0.5
    embedding: Share | Literal["calibrated"] | None = "calibrated"
    alignment: Share | None = 0.5  # the score from which it hits
    template: Share | None = 0.75
    template_words: Annotated[int, Field(ge=1)] = 12
    judge: OverlapJudge | None = None
    version: ClassVar[int] = 5
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "signatures", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("contamination", MUTANTS.name, "ledger")

    @field_validator("benchmarks")
    @classmethod
    def _named_once(cls, benchmarks: tuple[Benchmark, ...]) -> tuple[Benchmark, ...]:
        names = [benchmark.name for benchmark in benchmarks]
        if len(set(names)) < len(names):
            raise ValueError(f"two benchmarks have the same name: {', '.join(names)}")
        return benchmarks

    @model_validator(mode="after")
    def _is_calibrated(self) -> Self:
        if self.embedding == "calibrated" and self.embedder.limits().item is None:
            raise ValueError(
                f"nobody has calibrated the embedder '{self.embedder.kind}' for benchmarks: give its thresholds an "
                "`item`, such as 0.95, or set `embedding: null`"
            )
        return self

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The benchmark files, the embedder's weights, and the judge's model and prompt."""
        files = {b.name: b.digest(resources) for b in self.benchmarks} | dict(self.embedder.material())
        prompt = {"prompt": prompt_digest(self.judge.prompt)} if self.judge else {}
        return files | dict(super().material(resources, inputs)) | prompt

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Every living problem of the shard: kept, or rejected with its strongest evidence.

        Raises RecipeError, before any work, where the rule `embedding` has no vectors to compare.
        """
        output = self.checked(resources, inputs, inputs.store)
        if inputs.index > 0:  # what is caught of changed items is the same for all shards
            return output
        return replace(output, tables={**output.tables, MUTANTS.name: self._measured(resources, inputs.store)})

    def checked(self, resources: Resources, inputs: Inputs, kept: ObjectStore | None) -> Output:
        """As `run`, but for what the rules catch of changed items. The benchmarks' vectors are read from and written
        to `kept`, and nothing else is. None: nowhere.
        """
        if self.embedding is not None and not _is_signed(inputs):
            raise RecipeError(UNSIGNED)
        problems = inputs.table("problems", ["id", "prompt"])
        problems = problems.filter(pc.is_in(problems["id"], value_set=inputs.alive("problem")))
        items = self._items(resources, kept)
        compared = Problems(problems["prompt"], self._vectors(inputs, problems["id"]))
        found = {}
        for rule, threshold in self._thresholds().items():
            found[rule] = strongest(matches(rule, compared, items, threshold * FLOOR), items.benchmark)
        if self.judge is not None:
            found[JUDGE] = self._judged(
                self.judge, compared, items, found, self.feed(self.judge.model, resources, inputs)
            )
        ids = problems["id"].combine_chunks()
        return Output(self._ledger(ids, items, found), {"contamination": self._evidence(ids, items, found)})

    def _judged(
        self, judge: OverlapJudge, compared: Problems, items: Items, found: Mapping[str, Matches], feed: Feed
    ) -> Matches:
        """What the judge says of pairs in doubt, about problems that no rule gives away."""
        pairs = strongest(matches("alignment", compared, items, judge.doubt), items.benchmark)
        decided = {
            text for rule, limit in self._thresholds().items() for text in found[rule].texts[found[rule].hits(limit)]
        }
        open_ = np.array([k for k, text in enumerate(pairs.texts.tolist()) if text not in decided], np.int64)
        pairs = pairs.take(open_[np.argsort(-pairs.scores[open_], kind="stable")][: judge.at_most])
        questions = [
            {"input": compared.text(text), "reference_answer": items.texts[item]}
            for text, item in zip(pairs.texts.tolist(), pairs.items.tolist(), strict=True)
        ]
        answers = judge.answers(feed, judge.prompt, questions, judge.parse)
        said = [json.dumps({"said": answer.said[:500], "attempts": answer.attempts}) for answer in answers]
        same = np.array([answer.value is True for answer in answers], np.bool_)
        return Matches(pairs.texts, pairs.items, same.astype(np.float32), same, np.array(said, np.object_))

    def _measured(self, resources: Resources, store: ObjectStore) -> pa.Table:
        """What the rules catch of the benchmarks' items when they are changed, and of exercises told otherwise."""
        changed = measured(
            _questions(self, resources),
            lambda texts: [bool(found) for found in self._given(self._items(resources, store), texts, resources)],
        )
        told = retold.measured(
            lambda questions, texts: self._given(_made(self, {TEMPLATES: questions}, resources), texts, resources)
        )
        return pa.concat_tables([changed, pa.Table.from_pylist(list(told), schema=MUTANTS.schema)])

    def _given(self, items: Items, texts: Sequence[str], resources: Resources) -> list[set[str]]:
        """The names of the items for which the rules would turn each text away."""
        given = [set[str]() for _ in texts]
        vectors = self.embedder.embed(list(texts), resources).astype(np.float16)
        compared = Problems(pa.array(texts, pa.large_string()), vectors)
        for rule, threshold in self._thresholds().items():
            found = matches(rule, compared, items, threshold)
            hits = found.hits(threshold)
            for text, item in zip(found.texts[hits].tolist(), found.items[hits].tolist(), strict=True):
                given[text].add(items.name[item])
        return given

    def _thresholds(self) -> dict[str, float]:
        embedding = self.embedder.limits().item if self.embedding == "calibrated" else self.embedding
        values = (1.0, self.ngram, self.alignment, embedding, self.template)
        named = zip(CONTAMINATION_RULES, values, strict=True)
        return {rule: value for rule, value in named if value is not None}

    def _items(self, resources: Resources, store: ObjectStore | None) -> Items:
        """The index of all items, made once per process and content; their vectors once a store."""
        return _indexed(
            self.model_copy(update={"judge": None}),
            tuple((b.digest(resources), str(resources.path(b.path))) for b in self.benchmarks),
            _Quiet(resources, store),
        )

    def _vectors(self, inputs: Inputs, ids: pa.ChunkedArray) -> NDArray[np.float16]:
        if not _is_signed(inputs):
            return np.zeros((len(ids), 0), np.float16)
        signed = inputs.table("signatures", ["problem_id", "embedding", "embedder"])
        spaces = set(signed["embedder"].unique().to_pylist())
        if spaces - {self.embedder.identity()}:
            if self.embedding is None:
                return np.zeros((len(ids), 0), np.float16)
            raise RecipeError("step sign used another embedder than this step names: give both the same `embedder`")
        places = pc.index_in(ids, value_set=signed["problem_id"])
        return unpacked(signed["embedding"].take(places), np.float16)

    def _evidence(self, ids: pa.Array, items: Items, found: Mapping[str, Matches]) -> pa.Table:
        parts = [empty("contamination")]
        for rule, threshold in (self._thresholds() | {JUDGE: 1.0}).items():
            if rule not in found:
                continue
            hits = found[rule]
            columns = [
                ids.take(hits.texts),
                [items.benchmark[k] for k in hits.items.tolist()],
                [items.name[k] for k in hits.items.tolist()],
                [rule] * len(hits.texts),
                hits.scores,
                np.full(len(hits.texts), threshold, np.float32),
                hits.hits(threshold),
                hits.evidence,
            ]
            schema = columns_of("contamination")
            parts.append(pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema))
        return pa.concat_tables(parts)

    def _ledger(self, ids: pa.Array, items: Items, found: Mapping[str, Matches]) -> pa.Table:
        decided: dict[int, tuple[str, float, float, str]] = {}
        for rule, threshold in (self._thresholds() | {JUDGE: 1.0}).items():
            if rule not in found:
                continue
            hits = found[rule].take(np.flatnonzero(found[rule].hits(threshold)))
            for k in np.lexsort((-hits.scores, hits.texts)).tolist():
                item = f"{items.benchmark[hits.items[k]]}/{items.name[hits.items[k]]}"
                row = (f"contaminated_{rule}", float(hits.scores[k]), threshold, item)
                decided.setdefault(int(hits.texts[k]), row)
        rows = [decided.get(k) for k in range(len(ids))]
        buckets: list[Bucket] = ["rejected" if row else "kept" for row in rows]
        return ledger_rows(
            "problem",
            ids.to_pylist(),
            buckets,
            [row and row[0] for row in rows],
            [row and row[1] for row in rows],
            [row and row[2] for row in rows],
            [row and row[3] for row in rows],
        )


class _Quiet:
    """Hands resources and store through a cache without being a part of its key."""

    def __init__(self, resources: Resources, store: ObjectStore | None) -> None:
        self.resources = resources
        self.store = store

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Quiet)

    def __hash__(self) -> int:
        return 0


def _is_signed(inputs: Inputs) -> bool:
    """Whether a step sign stands before, whatever it wrote."""
    manifests = [*(m for shard in inputs.sealed.values() for m in shard), *inputs.whole]
    return any("signatures" in manifest.tables for manifest in manifests)


def _questions(step: Decontaminate, resources: Resources) -> dict[str, dict[str, str]]:
    return {b.name: b.questions(resources) for b in step.benchmarks}


@lru_cache(maxsize=4)
def _indexed(step: Decontaminate, files: tuple[tuple[str, str], ...], quiet: _Quiet) -> Items:
    return _made(step, _questions(step, quiet.resources), quiet.resources, quiet.store)


def _made(
    step: Decontaminate,
    questions: Mapping[str, Mapping[str, str]],
    resources: Resources,
    store: ObjectStore | None = None,
) -> Items:
    texts = [text for items in questions.values() for text in items.values()]
    vectors = item_vectors(texts, step.embedder, resources, store)
    return Items(questions, vectors, step.n, step.template_words)
