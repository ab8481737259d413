"""The truth about the zoo's teachers: how often each solves each of some hundred problems, of 64 samples.

    python -m benchmarks.grading.truth sample    # goes on where it was stopped, or where truth.jsonl ends
    python -m benchmarks.grading.truth count     # what was sampled as counts, in truth.jsonl beside this file

Problems are held-out ones of the zoo's generators, in a cycle of kinds and levels whose classes are about even; so any
beginning of them is. They are asked as the recipe `grade_demo` asks, and answered by transformers on one thread: 64
samples of one prompt at a time need no padding and no server.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from benchmarks.resumable import resumed, whole_rows
from zoo.grading import is_right
from zoo.models import SPECS
from zoo.problem import Kind, Problem
from zoo.problems import is_held_out, problem
from zoo.traces import DIRECTIVE
from zoo.vocabulary import END

TEACHERS = ("teacher-weak", "teacher-small", "teacher-large")
SAMPLES = 64
PROBLEMS = 480
BUDGET = 320  # tokens, temperature and top-p of `grade_demo`
TEMPERATURE = 0.6
TOP_P = 0.95
COUNTS = Path(__file__).with_name("truth.jsonl")
SAMPLED = Path("var/bench/truth-samples.jsonl")
# Levels 5 of mathematics for the hopeless, code and levels 1 for the easy, the rest for what lies between.
CYCLE: tuple[tuple[Kind, int], ...] = (
    ("code", 1), ("arithmetic", 5), ("story", 1), ("equation", 5), ("story", 5), ("equation", 2),
    ("code", 3), ("arithmetic", 4), ("story", 5), ("arithmetic", 1), ("equation", 5), ("story", 3),
    ("code", 5), ("arithmetic", 5), ("equation", 4), ("arithmetic", 2),
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What one teacher made of one problem of `posed`: how many samples `passed`, and the tokens of both kinds."""

    number: int
    kind: str
    level: int
    teacher: str
    passed: int
    tokens_right: int
    tokens_wrong: int


def posed() -> Iterator[Problem]:
    """The problems in order, endlessly; a pure function of nothing."""
    rng = Random("truth")
    seen: set[str] = set()
    for kind, level in itertools.cycle(CYCLE):
        while not is_held_out((item := problem(rng, kind, level)).prompt) or item.prompt in seen:
            continue
        seen.add(item.prompt)
        yield item


def asked(item: Problem) -> str:
    """What a teacher is asked, as `grade_demo` asks it."""
    return item.prompt if item.kind == "code" else f"{item.prompt}\n{DIRECTIVE}"


def known(path: Path = COUNTS) -> list[Known]:
    """The counts, by problem and teacher."""
    return [Known(*json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


class Teacher:
    """A teacher of the zoo, that gives many samples of one prompt at once."""

    def __init__(self, name: str) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from zoo.network import native_dtype

        torch.set_num_threads(1)
        self._torch = torch
        self.name = name
        folder = SPECS[name].folder
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=native_dtype()).eval()
        self._end = self._tokenizer.convert_tokens_to_ids(END)

    def samples(self, prompt: str, more: str = "") -> list[tuple[str, int]]:
        """Texts with their lengths in tokens, the end's own included, as servers count; others for other `more`."""
        seed = hashlib.sha256(f"{self.name}\n{prompt}{more}".encode()).digest()[:7]
        self._torch.manual_seed(int.from_bytes(seed))
        chat = [{"role": "user", "content": prompt}]
        text = self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        asked = self._tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
        with self._torch.inference_mode():
            rows = self._generated(asked)
        return [(self._tokenizer.decode([t for t in row if t != self._end]), len(row)) for row in rows]

    def _generated(self, asked: Any) -> list[list[int]]:
        """The tokens of each sample. Rows that have ended are taken out once they are a quarter."""
        out = self._model(asked, use_cache=True)
        cache = out.past_key_values
        cache.batch_repeat_interleave(SAMPLES)
        logits = out.logits[:, -1].expand(SAMPLES, -1)
        rows: list[list[int]] = [[] for _ in range(SAMPLES)]
        places = list(range(SAMPLES))
        for _ in range(BUDGET):
            drawn = self._drawn(logits)
            for place, token in zip(places, drawn.tolist(), strict=True):
                if not rows[place] or rows[place][-1] != self._end:
                    rows[place].append(token)
            going = [n for n, place in enumerate(places) if rows[place][-1] != self._end]
            if not going:
                break
            if len(going) <= 0.75 * len(places):
                places = [places[n] for n in going]
                kept = self._torch.tensor(going)
                cache.batch_select_indices(kept)
                drawn = drawn[kept]
            logits = self._model(drawn[:, None], past_key_values=cache, use_cache=True).logits[:, -1]
        return rows

    def _drawn(self, logits: Any) -> Any:
        """One token a row, of the likeliest that hold TOP_P of the probability together."""
        share, order = (logits.float() / TEMPERATURE).softmax(-1).sort(-1, descending=True)
        share[share.cumsum(-1) - share > TOP_P] = 0.0
        return order.gather(1, self._torch.multinomial(share, 1))[:, 0]


def sample(
    path: Annotated[Path, typer.Option(help="where the rows lie, and are added")] = SAMPLED,
    problems: Annotated[int, typer.Option(help="so many problems")] = PROBLEMS,
) -> None:
    """Sample what is not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = resumed(path)
    there = {(row["number"], row["teacher"]) for row in whole}
    there |= {(one.number, one.teacher) for one in known()} if COUNTS.exists() else set()
    teachers = [Teacher(name) for name in TEACHERS]
    with path.open("a", encoding="utf-8") as file:
        for number, item in enumerate(itertools.islice(posed(), problems)):
            for teacher in teachers:
                if (number, teacher.name) not in there:
                    found = [(is_right(item, text), tokens) for text, tokens in teacher.samples(asked(item))]
                    row = {"number": number, "teacher": teacher.name, "kind": item.kind, "level": item.level}
                    file.write(json.dumps({**row, "samples": found}) + "\n")
                    file.flush()


def count(
    path: Annotated[Path, typer.Option(help="the rows of `sample`")] = SAMPLED,
    to: Annotated[Path, typer.Option(help="where the counts are written")] = COUNTS,
) -> None:
    """Write the counts of all problems that every teacher has answered, beside those that are there."""
    found = {(one.number, one.teacher): one for one in (known(to) if to.exists() else [])}
    found |= {(row["number"], row["teacher"]): _counted(row) for row in whole_rows(path)}
    answered = Counter(number for number, _ in found)
    lines = [json.dumps(astuple(found[key])) for key in sorted(found) if answered[key[0]] == len(TEACHERS)]
    to.write_text("\n".join(lines) + "\n", encoding="utf-8")
    typer.echo(f"{len(lines) // len(TEACHERS)} problems")


def _counted(row: dict[str, Any]) -> Known:
    right = [tokens for is_so, tokens in row["samples"] if is_so]
    wrong = [tokens for is_so, tokens in row["samples"] if not is_so]
    of = (row["number"], row["kind"], row["level"], row["teacher"])
    return Known(*of, len(right), sum(right), sum(wrong))


if __name__ == "__main__":
    app = typer.Typer()
    app.command()(sample)
    app.command()(count)
    app()
