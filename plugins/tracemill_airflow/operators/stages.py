"""One class a stage, with its facts as class attributes; `OPERATORS` and the graph are made from them.

To add a stage: a class here that says the `kind` of its step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracemill_airflow.operators.announcing import AnnouncingOperator
from tracemill_airflow.operators.asking import AskingOperator
from tracemill_airflow.operators.base import StageOperator
from tracemill_airflow.operators.forecasting import ForecastingOperator
from tracemill_airflow.operators.training import TellingOperator, TrainingOperator


class IngestOperator(StageOperator):
    """Reads one slice of a source into problems and existing responses; bad rows go to quarantine."""

    stage_name = "ingest"


class LabelOperator(StageOperator):
    """Labels problems with language, length and what the source says of category and difficulty."""

    stage_name = "label"


class FilterOperator(StageOperator):
    """Turns away problems whose text is no usable question: empty, broken, links, tables."""

    stage_name = "filter"


class AskableOperator(StageOperator):
    """Turns away problems to which no single short answer can be compared, and asks choices as questions."""

    stage_name = "askable"


class SignOperator(StageOperator):
    """Computes what duplicates are found by: the exact key and the embedding of each problem."""

    stage_name = "sign"


class ClusterOperator(StageOperator):
    """Finds duplicates over all shards and chooses the representatives: the one barrier before the release."""

    stage_name = "cluster"
    gathers = True


class UniqueOperator(StageOperator):
    """Turns away the problems of a shard that are not their cluster's representative."""

    stage_name = "unique"


class ReferencesOperator(StageOperator):
    """Compares the reference answers that different rows give for one problem, over all shards."""

    stage_name = "references"
    gathers = True


class ConflictsOperator(StageOperator):
    """Sets aside problems whose reference answers, or whose teachers and reference, disagree."""

    stage_name = "conflicts"


class PrecheckOperator(StageOperator):
    """Sets aside problems that no response could be shown to solve, before a teacher is asked."""

    stage_name = "precheck"
    runs_programs = True


class DecontaminateOperator(AskingOperator):
    """Turns away problems that a named benchmark contains, and keeps the evidence; a recipe may name a judge for it."""

    stage_name = "decontaminate"

    def __init__(self, *, at_once: int = 1, **kwargs: Any) -> None:
        super().__init__(at_once=at_once, **kwargs)

    @classmethod
    def asks(cls, step: Mapping[str, Any]) -> bool:
        """Only where the recipe names a judge."""
        return step.get("judge") is not None


class AnnotateOperator(AskingOperator):
    """Labels problems with difficulty and category."""

    stage_name = "annotate"


class PilotOperator(ForecastingOperator):
    """Tries a teacher on a few problems of all shards, so that it is known what to expect of the others."""

    stage_name = "pilot"
    gathers = True
    asks_beside = True


class DistillOperator(AskingOperator):
    """Has the teacher write traces for problems without a verified response."""

    stage_name = "distill"
    asks_beside = True


class RepairOperator(AskingOperator):
    """Asks a stronger model where most responses contradict a reference, and repairs it where the model agrees."""

    stage_name = "repair"


class VerifyMathOperator(StageOperator):
    """Compares final answers with the reference answers."""

    stage_name = "verify_math"
    kind = "verify"


class VerifyCodeOperator(StageOperator):
    """Runs programs against their tests in the sandbox, on the worker that has one."""

    stage_name = "verify_code"
    kind = "verify"
    runs_programs = True

    @classmethod
    def runs(cls, step: Mapping[str, Any]) -> bool:
        """A step with a verifier that needs a sandbox."""
        return any(verifier["kind"] in NEED_SANDBOX for verifier in step["verifiers"])


class VerifyInstructionsOperator(StageOperator):
    """Checks whether responses follow the instructions of their prompts."""

    stage_name = "verify_instructions"
    kind = "verify"

    @classmethod
    def runs(cls, step: Mapping[str, Any]) -> bool:
        """A step whose only verifiers check instructions."""
        return {verifier["kind"] for verifier in step["verifiers"]} == {"instruction"}


class JudgeOperator(AskingOperator):
    """Lets a model judge what no verifier could pass."""

    stage_name = "judge"


class RewardOperator(AskingOperator):
    """Scores responses with a reward model."""

    stage_name = "reward"


class ScoreOperator(AskingOperator):
    """Has a language model score responses."""

    stage_name = "score"


class GradeOperator(StageOperator):
    """Grades problems by what models solve of them: a score for each response, a pass rate for each problem."""

    stage_name = "grade"


class EvaluateOperator(StageOperator):
    """Says what models score on benchmarks, with the interval of each score, and compares them with each other."""

    stage_name = "evaluate"
    gathers = True


class PerplexityOperator(AskingOperator):
    """Measures how surprising responses are to a strong model."""

    stage_name = "perplexity"


class RuleCheckOperator(StageOperator):
    """Turns away responses that break the format rules: template, blank parts, repetition, truncation."""

    stage_name = "rules"


class PhrasesOperator(StageOperator):
    """Finds the phrases that recur in the whole data set."""

    stage_name = "phrases"
    gathers = True


class DropPhrasesOperator(StageOperator):
    """Turns away the responses with a phrase that recurs, or cuts it out of them."""

    stage_name = "drop_phrases"


class CutOperator(StageOperator):
    """Measures a distribution over all shards and where it is cut."""

    stage_name = "cut"
    gathers = True


class GateOperator(StageOperator):
    """Turns away what lies beyond a measured cut."""

    stage_name = "gate"


class IntersectOperator(StageOperator):
    """Keeps the responses to problems that every teacher solved."""

    stage_name = "intersect"


class SelectOperator(StageOperator):
    """Chooses which verified responses of each problem are released."""

    stage_name = "select"


class StageOneOperator(StageOperator):
    """Takes the problems that a model sometimes solves, with the responses that solve them."""

    stage_name = "stage_one"


class StageTwoOperator(StageOperator):
    """Ranks the problems of all shards by how much a model varies on them, and takes the first."""

    stage_name = "stage_two"
    gathers = True


class ExportOperator(StageOperator):
    """Writes the training sets that one ledger gives, each with its card."""

    stage_name = "export"
    gathers = True


class ReleaseOperator(AnnouncingOperator):
    """Writes the dataset, its card, figures and funnel, and announces it as an asset event with the row count."""

    stage_name = "release"
    gathers = True


class ProveOperator(TellingOperator):
    """Lays the release out for a trainer's template and proves every row of it, before any GPU is taken."""

    stage_name = "prove"
    gathers = True


class TrainOperator(TrainingOperator):
    """Trains a student as a child of this task, on the worker and in the pool that have the GPUs."""

    stage_name = "train"
    gathers = True


# What the verifiers say of themselves (`Verifier.needs_sandbox`), without loading them at each parse of a DAG file.
NEED_SANDBOX = frozenset({"code", "direct"})

STAGES: tuple[type[StageOperator], ...] = tuple(
    found
    for found in dict(globals()).values()
    if isinstance(found, type) and issubclass(found, StageOperator) and found.__module__ == __name__
)


def operator_of(step: Mapping[str, Any]) -> type[StageOperator]:
    """The operator of a step with these settings, which are those of the recipe's YAML.

    Of several for one kind the first takes what no other claims. Raises KeyError for a kind of step that has no
    operator.
    """
    fitting = [operator for operator in STAGES if operator.of_kind() == step["kind"]]
    if not fitting:
        raise KeyError(step["kind"])
    return next((operator for operator in fitting[1:] if operator.runs(step)), fitting[0])
