"""Reads what the rows of an export are made of: texts of chosen responses alone, and what manifests say of models."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.step import Inputs
from tracemill.engine.store import Manifest
from tracemill.release.exports.facts import Facts
from tracemill.release.exports.layouts import Known, perplexities, settings_text

_GENERATION = ["id", "problem_id", "teacher", "response_source", "think_content", "answer_content"]


def known_of(
    inputs: Inputs, shard: int, facts: Facts, wanted: pl.DataFrame, verifiers: dict[str, str], sampling: dict[str, Any]
) -> Known:
    """What the rows of these members (problem_id, generation_id) are made of; one shard's texts at a time."""
    ids = pa.array(wanted["generation_id"].drop_nulls().unique().to_list(), pa.string())
    problems = pa.array(wanted["problem_id"].unique().to_list(), pa.string())
    generations = list[dict[str, Any]]()
    for batch in inputs.batches("generations", _GENERATION, shard):
        generations += batch.filter(pc.is_in(batch["id"], value_set=ids)).to_pylist()
    asked = list[dict[str, Any]]()
    for batch in inputs.batches("problems", None, shard):
        asked += batch.filter(pc.is_in(batch["id"], value_set=problems)).to_pylist()
    measured = pl.DataFrame(inputs.table("measurements", ["generation_id", "metric", "value"], shard))
    scores = facts.responses.filter(pl.col("category").is_not_null())
    scores = scores.select("generation_id", "category", "raw", "score")
    return Known(
        problems={row["id"]: row for row in asked},
        generations={row["id"]: row for row in generations},
        scores={row["generation_id"]: row for row in scores.to_dicts()},
        rates=_rates(facts),
        decided_by=_decided_by(facts, verifiers),
        perplexity=perplexities(measured),
        verifiers=verifiers,
        sampling=sampling,
    )


def _rates(facts: Facts) -> dict[str, list[dict[str, Any]]]:
    """Of each problem the rates of the models that were asked, by model and mode."""
    rates: dict[str, list[dict[str, Any]]] = defaultdict(list)
    asked = facts.grades.drop("grade").filter(pl.col("asked") > 0).rename({"teacher": "model"}).sort("model", "mode")
    for row in asked.with_columns(pl.when(pl.col("mode") != "").then("mode").alias("mode")).to_dicts():
        rates[row.pop("problem_id")].append(row)
    return rates


def _decided_by(facts: Facts, verifiers: dict[str, str]) -> dict[str, list[str]]:
    """Of each problem the verifiers that said pass or fail of some response, in the order of the recipe."""
    order = {name: place for place, name in enumerate(verifiers)}
    said = facts.verdicts.filter(pl.col("verifier").is_in(list(verifiers)), pl.col("status") != "unverifiable")
    found = said.group_by("problem_id").agg(pl.col("verifier").unique())
    return {problem: sorted(names, key=order.__getitem__) for problem, names in found.iter_rows()}


def verifiers_of(inputs: Inputs) -> dict[str, str]:
    """The settings, as JSON, of the verifiers of all `verify` steps, by name in the order of the recipe."""
    found: dict[str, str] = {}
    for manifest in _manifests(inputs):
        if manifest.settings.get("kind") == "verify":
            for one in manifest.settings["verifiers"]:
                found.setdefault(str(one["kind"]), settings_text(one))
    return found


def sampling_of(inputs: Inputs) -> dict[str, list[dict[str, Any]]]:
    """How each model was sampled, as the manifests say: its settings, engine and versions, in each of several ways.

    Also what was added to prompts and answers, and the policy by which sampling ended: both decide a pass rate.
    """
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    versions: dict[str, set[str]] = defaultdict(set)
    for manifest in _manifests(inputs):
        teacher = manifest.settings.get("teacher")
        if not isinstance(teacher, dict):
            continue
        name = teacher["model"]["name"]
        made = manifest.made_with.get(f"model {name}") or {}
        versions[name].update(made.get("versions") or ())
        added = {key: teacher[key] for key in ("modes", "directives", "prefix") if teacher.get(key)}
        policy = {key: value for key, value in (teacher.get("policy") or {}).items() if key != "verifiers"}
        added |= {"policy": policy} if policy else {}
        sampling = settings_text({**teacher.get("sampling", {}), **added})
        found[name][sampling] = {"model": name, "sampling": sampling, "engine": settings_text(made.get("engine") or {})}
    return {
        name: [{**one, "versions": sorted(versions[name])} for one in ways.values()] for name, ways in found.items()
    }


def _manifests(inputs: Inputs) -> list[Manifest]:
    return [manifest for shard in sorted(inputs.sealed) for manifest in inputs.sealed[shard]]
