"""One operator a stage. Import from here in DAG files."""

from tracemill_airflow.operators.asking import (
    AnnotateOperator,
    CutOperator,
    DistillOperator,
    GateOperator,
    JudgeOperator,
    PerplexityOperator,
    RewardOperator,
    ScoreOperator,
)
from tracemill_airflow.operators.decontaminate import DecontaminateOperator
from tracemill_airflow.operators.dedup import ClusterOperator, SignOperator, UniqueOperator
from tracemill_airflow.operators.ingest import IngestOperator
from tracemill_airflow.operators.label import LabelOperator
from tracemill_airflow.operators.plan import PlanOperator
from tracemill_airflow.operators.questions import (
    ConflictsOperator,
    FilterOperator,
    PrecheckOperator,
    ReferencesOperator,
)
from tracemill_airflow.operators.release import ReleaseOperator
from tracemill_airflow.operators.rules import RuleCheckOperator
from tracemill_airflow.operators.sandbox import SandboxOperator
from tracemill_airflow.operators.select import SelectOperator
from tracemill_airflow.operators.verify import VerifyCodeOperator, VerifyInstructionsOperator, VerifyMathOperator

__all__ = [
    "AnnotateOperator",
    "ClusterOperator",
    "ConflictsOperator",
    "CutOperator",
    "DecontaminateOperator",
    "DistillOperator",
    "FilterOperator",
    "GateOperator",
    "IngestOperator",
    "JudgeOperator",
    "LabelOperator",
    "PerplexityOperator",
    "PlanOperator",
    "PrecheckOperator",
    "ReferencesOperator",
    "ReleaseOperator",
    "RewardOperator",
    "RuleCheckOperator",
    "SandboxOperator",
    "ScoreOperator",
    "SelectOperator",
    "SignOperator",
    "UniqueOperator",
    "VerifyCodeOperator",
    "VerifyInstructionsOperator",
    "VerifyMathOperator",
]
