"""Ingest: sources to problems."""

from __future__ import annotations

from tracemill_airflow.operators.base import StageOperator


class IngestOperator(StageOperator):
    """Reads one slice of a source into problems and existing responses; bad rows go to quarantine."""

    stage_name = "ingest"
