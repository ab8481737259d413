"""Dedup: sign every problem, cluster all signatures, keep one representative of each cluster."""

from __future__ import annotations

from tracemill_airflow.operators.base import StageOperator


class SignOperator(StageOperator):
    """Computes what duplicates are found by: the exact key and the embedding of each problem."""

    stage_name = "sign"


class ClusterOperator(StageOperator):
    """Finds duplicates over all shards and chooses the representatives: the one barrier before the release."""

    stage_name = "cluster"


class UniqueOperator(StageOperator):
    """Turns away the problems of a shard that are not their cluster's representative."""

    stage_name = "unique"
