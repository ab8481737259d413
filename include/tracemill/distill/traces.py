"""The traces of one shard while they come in: cut ones get their continuations, and rows become tables at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from tracemill.engine.ids import generation_id
from tracemill.engine.tables import columns_of
from tracemill.models.request import Answer, Refusal, Reply
from tracemill.models.token_logprobs import logprobs_of
from tracemill.text.think import split

_BATCH = 16  # traces whose texts are held twice for a moment


@dataclass(frozen=True)
class Trace:
    """One trace for one problem: the whole text, in which mode its teacher wrote it (None where there is one way), and
    where it was continued (None when it was not); then `rest` says what the continuation took, without its text.
    """

    problem_id: str
    sample: int
    reply: Reply
    mode: str | None = None
    seam: int | None = None
    seam_tokens: int | None = None
    rest: Reply | None = None


def joined(trace: Trace, rest: Answer) -> Trace:
    """The trace with its continuation, if the server gave it."""
    if not isinstance(rest, Reply):
        return trace
    first = trace.reply
    counts = (first.completion_tokens, rest.completion_tokens)
    whole = Reply(
        text=first.text + rest.text,
        finish_reason=rest.finish_reason,
        prompt_tokens=first.prompt_tokens,
        completion_tokens=None if None in counts else sum(filter(None, counts)),
        seconds=first.seconds + rest.seconds,
        served_model=first.served_model,
        server=first.server,
        logprobs=first.logprobs + rest.logprobs if first.logprobs and rest.logprobs else None,
    )
    return replace(trace, reply=whole, seam=len(first.text), seam_tokens=first.completion_tokens, rest=_bare(rest))


@dataclass
class Written:
    """The rows of a shard's traces, made into tables a few at a time: their texts are held about once.

    `teacher` wrote them, `source` is what a release calls their origin, `limit` how long a continued one may be,
    `likeliest` how many tokens are kept at each token. `problems` are those with a trace, `refusals` those that the
    server gave none for.
    """

    teacher: str
    source: str
    limit: int | None = None
    likeliest: int = 0
    refusals: dict[str, Refusal] = field(default_factory=dict)
    problems: set[str] = field(default_factory=set)
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _batches: list[pa.RecordBatch] = field(default_factory=list)
    _seams: list[dict[str, Any]] = field(default_factory=list)
    _likely: list[pa.Table] = field(default_factory=list)
    _usage: list[dict[str, Any]] = field(default_factory=list)

    def add(self, problem: str, trace: Trace | Refusal) -> None:
        """Add what came of one sample; they come in the order of the rows."""
        if isinstance(trace, Refusal):
            self.refusals[problem] = trace
            return
        row = self._row(trace)
        self.problems.add(problem)
        self._rows.append(row)
        if trace.seam is not None:
            seam = {"seam": trace.seam, "tokens": trace.seam_tokens, "limit": self.limit}
            self._seams.append({"generation_id": row["id"], "problem_id": problem, **seam})
        self._usage += _usage(row["id"], trace)
        if self.likeliest and trace.reply.logprobs:
            self._likely.append(_tokens_of(row["id"], problem, trace.reply, self.likeliest))
        if len(self._rows) >= _BATCH:
            self._pack()

    def generations(self) -> pa.Table:
        """The traces in their order."""
        self._pack()
        return pa.Table.from_batches(self._batches, columns_of("generations"))

    def continuations(self) -> pa.Table:
        """Where traces were continued, in the order of the traces."""
        return pa.Table.from_pylist(self._seams, columns_of("continuations"))

    def token_logprobs(self) -> pa.Table:
        """What the teacher thought likely at each token of the traces of which that is known, in their order."""
        return pa.concat_tables([columns_of("token_logprobs").empty_table(), *self._likely])

    def usage(self) -> pa.Table:
        """What the traces took of servers of the run, in their order; no row where no such server wrote any."""
        rows = self._usage if any(row["server"] for row in self._usage) else []
        return pa.Table.from_pylist(rows, columns_of("usage"))

    def _pack(self) -> None:
        self._batches.append(pa.RecordBatch.from_pylist(self._rows, columns_of("generations")))
        self._rows = []

    def _row(self, trace: Trace) -> dict[str, Any]:
        parts = split(trace.reply.text)
        return {
            "id": generation_id(trace.problem_id, self.teacher, trace.sample, trace.reply.text, trace.mode),
            "problem_id": trace.problem_id,
            "source": self.source,
            "teacher": self.teacher,
            "sample_index": trace.sample,
            "style": parts.style,
            "raw": parts.raw,
            "think_content": parts.think,
            "answer_content": parts.answer,
            "finish_reason": trace.reply.finish_reason,
            "prompt_tokens": trace.reply.prompt_tokens,
            "completion_tokens": trace.reply.completion_tokens,
            "seconds": trace.reply.seconds,
            "source_verdict": None,
            "served_model": trace.reply.served_model,
            "response_source": self.source,
            "mode": trace.mode,
        }


def _tokens_of(identity: str, problem: str, reply: Reply, most: int) -> pa.Table:
    """One row a token of a trace."""
    found = logprobs_of(reply, most)
    ends = pa.array(range(0, most * len(found) + 1, most), pa.int32())
    columns = {
        "generation_id": pa.repeat(pa.scalar(identity), len(found)),
        "problem_id": pa.repeat(pa.scalar(problem), len(found)),
        "place": pa.array(range(len(found)), pa.int32()),
        "token": pa.array(np.ascontiguousarray(found["token"])),
        "logprob": pa.array(np.ascontiguousarray(found["logprob"])),
        "top_tokens": pa.ListArray.from_arrays(ends, pa.array(found["tokens"].ravel())),
        "top_logprobs": pa.ListArray.from_arrays(ends, pa.array(found["logprobs"].ravel())),
    }
    return pa.table(columns, columns_of("token_logprobs"))


def _bare(reply: Reply) -> Reply:
    """A reply without what is long."""
    return replace(reply, text="", token_ids=None, logprobs=None)


def _usage(identity: str, trace: Trace) -> list[dict[str, Any]]:
    """One row a request that a trace was made of."""
    whole = trace.reply
    first = whole.completion_tokens if trace.seam is None else trace.seam_tokens
    parts = [(whole.server, whole.prompt_tokens, first)]
    if trace.rest is not None:
        parts.append((trace.rest.server, trace.rest.prompt_tokens, trace.rest.completion_tokens))
    return [
        {
            "generation_id": identity,
            "problem_id": trace.problem_id,
            "part": part,
            "server": server,
            "prompt_tokens": prompt,
            "completion_tokens": completion,
        }
        for part, (server, prompt, completion) in enumerate(parts)
    ]
