"""Reads what a vLLM server says about itself (/metrics, Prometheus text) and what that means per second."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Gauges:
    """One reading. Tokens, hits and iterations count up from the server's start; `kv_cache` is a share from 0 to 1.

    `reading` and `writing` are seconds of all finished requests together, before their first token and after it.
    """

    running: float = 0.0
    waiting: float = 0.0
    kv_cache: float = 0.0
    generated: float = 0.0
    prompted: float = 0.0
    prefix_queries: float = 0.0
    prefix_hits: float = 0.0
    preemptions: float = 0.0
    iterations: float = 0.0
    reading: float = 0.0
    writing: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether any request is being worked on or waits."""
        return self.running + self.waiting > 0


class Loaded(Protocol):
    """A server that says how much it has to do."""

    def gauges(self) -> Gauges | None:
        """Its load; None when it does not answer just now."""


_NAMES = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:kv_cache_usage_perc": "kv_cache",
    "vllm:gpu_cache_usage_perc": "kv_cache",  # before vLLM 0.10
    "vllm:generation_tokens_total": "generated",
    "vllm:prompt_tokens_total": "prompted",
    "vllm:prefix_cache_queries_total": "prefix_queries",
    "vllm:prefix_cache_hits_total": "prefix_hits",
    "vllm:num_preemptions_total": "preemptions",
    "vllm:iteration_tokens_total_count": "iterations",
    "vllm:request_prefill_time_seconds_sum": "reading",
    "vllm:request_decode_time_seconds_sum": "writing",
}


_SHARES = {"kv_cache"}


def parse_metrics(text: str) -> Gauges:
    """The gauges in a metrics page. Several engines are added up, but shares are their mean; what is missing is 0.

    Raises ValueError when a line about one of them cannot be read.
    """
    # The parser needs 16 ms for a whole page of vLLM, and one odd line of hundreds would cost us the page.
    page = "\n".join(line for line in text.splitlines() if line.startswith(tuple(_NAMES)))
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name in _NAMES and math.isfinite(sample.value):
                found.setdefault(_NAMES[sample.name], []).append(sample.value)
    return Gauges(**{name: sum(v) / (len(v) if name in _SHARES else 1) for name, v in found.items()})


def summary(before: Gauges, now: Gauges, seconds: float) -> str:
    """One line for people: rates since the reading before, and the state of now."""
    prompted = now.prompted - before.prompted
    generated = now.generated - before.generated
    queries = now.prefix_queries - before.prefix_queries
    hits = (now.prefix_hits - before.prefix_hits) / queries if queries else 0.0
    return (
        f"{generated / seconds:.0f} tokens/s generated, {prompted / seconds:.0f} read; "
        f"{now.running:.0f} requests running, {now.waiting:.0f} waiting; "
        f"KV cache {now.kv_cache:.0%}, prefix hits {hits:.0%}, {now.preemptions - before.preemptions:.0f} preemptions"
    )


def utilisation(before: Gauges, now: Gauges, slots: int) -> float:
    """Tokens generated per slot and engine step between two readings: 1 means that every slot was always busy."""
    steps = now.iterations - before.iterations
    return (now.generated - before.generated) / (steps * slots) if steps else 0.0
