"""Proves a whole release in bounded memory, on all processors: batches go out as they are read, in order."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import pyarrow as pa
from loky import ProcessPoolExecutor

from tracemill.errors import RecipeError
from tracemill.release.proof.batch import Line, proved_batch
from tracemill.release.proof.prover import Prover
from tracemill.release.proof.templates import Template
from tracemill.release.trainers.layouts import LayoutName

_AHEAD = 2  # batches that wait for each process
Batch = tuple[pa.Table, pa.Table]


@dataclass(frozen=True)
class Plan:
    """What rows are proved against. `most`: tokens after which the trainer cuts; None where it cuts nothing."""

    template: Template
    layout: LayoutName
    system: str | None = None
    most: int | None = None


@dataclass
class Totals:
    """How many rows were proved, how many of them are whole, and how many have each fault."""

    rows: int = 0
    whole: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, lines: Iterable[Line]) -> None:
        """Count these rows."""
        for line in lines:
            self.rows += 1
            self.whole += not line.found
            self.faults.update({one.fault for one in line.found})


def checked(plan: Plan) -> Plan:
    """The plan, with the longest text of the tokenizer's model where nothing else is said.

    Raises RecipeError for a length without tokenizer or beyond the model, and for a template that cannot say which
    part of a conversation is the assistant's.
    """
    template = plan.template
    if plan.most is not None and template.folder is None:
        raise RecipeError(f"lengths in tokens need a tokenizer: name its folder (--tokenizer) beside {template.name}")
    if plan.most is not None and template.longest is not None and plan.most > template.longest:
        raise RecipeError(
            f"{plan.most:,} tokens are more than the model takes ({template.longest:,}, says its tokenizer)"
        )
    if not plan.layout.startswith("prompt_completion") and not template.marks:
        raise RecipeError(
            f"template {template.name} has no generation marks, so assistant_only_loss would train nothing of the "
            f"layout {plan.layout}: take prompt_completion, or a training template of trl"
        )
    return Plan(template, plan.layout, plan.system, plan.most or template.longest)


def proved(batches: Iterable[Batch], plan: Plan, workers: int) -> Iterator[list[Line]]:
    """The lines of each batch, in order; `workers` processes, each with a tokenizer of its own.

    They do not run the caller's main script, as the standard library's do: that of an Airflow task may not start anew.
    """
    if workers <= 1:
        prover = Prover(plan.template, plan.most)
        for rows, about in batches:
            yield proved_batch(prover, plan.layout, plan.system, rows, about)
        return
    with ProcessPoolExecutor(workers, initializer=_begin, initargs=(plan,)) as pool:
        waiting: deque[Future[list[Line]]] = deque()
        for rows, about in batches:
            waiting.append(pool.submit(_prove, rows, about))
            if len(waiting) > workers * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def prove(
    batches: Iterable[Batch], plan: Plan, workers: int, tell: Callable[[int], None], note: Callable[[Line], None]
) -> Totals:
    """Prove all rows. `tell` hears how many more are done, `note` of every row that is not whole."""
    totals = Totals()
    for lines in proved(batches, checked(plan), workers):
        totals.add(lines)
        for line in lines:
            if line.found:
                note(line)
        tell(len(lines))
    return totals


_HERE: dict[str, tuple[Prover, Plan]] = {}


def _begin(plan: Plan) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the parallelism
    _HERE["prover"] = (Prover(plan.template, plan.most), plan)


def _prove(rows: pa.Table, about: pa.Table) -> list[Line]:
    prover, plan = _HERE["prover"]
    return proved_batch(prover, plan.layout, plan.system, rows, about)
