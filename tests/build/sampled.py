"""A model that is sometimes right, and the rows that sampling it gave."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tracemill.engine.objects import ObjectStore
from tracemill.engine.resources import Resources
from tracemill.verify import AnyVerifier
from tracemill.verify.companion import Companion, Seat
from tracemill.verify.parts import who

RIGHT = 7


def sometimes(share: float) -> Callable[[str, int], str]:
    """A model that is right in such a share of its samples."""

    def say(prompt: str, seed: int) -> str:
        lot = int(hashlib.sha256(f"{prompt}{seed}".encode()).hexdigest()[:8], 16) / 16**8
        return f"<think>\nhm {seed}\n</think>\n<answer>\\boxed{{{RIGHT if lot < share else 99}}}</answer>"

    return say


def rows(output: Any) -> list[tuple[str, int, str]]:
    """Problem, sample and answer of each trace."""
    found = output.tables["generations"].to_pylist()
    return [(row["problem_id"], row["sample_index"], row["answer_content"]) for row in found]


@contextmanager
def verifying(store: ObjectStore, verifiers: Sequence[AnyVerifier], workers: int = 1) -> Iterator[list[Companion]]:
    """So many verify tasks beside, while the block runs."""
    machine = Resources(workers=1)
    seat = Seat(verifiers, who(verifiers, machine))
    over = threading.Event()
    judges = [Companion([seat], store, machine, over.is_set) for _ in range(workers)]
    with ThreadPoolExecutor(workers) as threads:
        working = [threads.submit(judge.serve) for judge in judges]
        try:
            yield judges
        finally:
            over.set()
            for judge in judges:
                judge.stop()
            for one in working:
                one.result()
