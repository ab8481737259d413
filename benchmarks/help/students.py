"""Students of the zoo, trained in seconds: what each answers after it was trained on which traces.

    python -m benchmarks.help.students sample --seconds 240   # goes on where it was stopped; ends by itself
    python -m benchmarks.help.students count                  # what was sampled, as counts beside this file

Two tables come of it. `seeds.jsonl`: one student, many seeds on one set of traces (`right`), and a few on the same of
which half answers another problem (`half_wrong`); these traces are the generators' own. `fits.jsonl`: eight teachers,
weakened by temperature, truncation and training (teacher-weak and teacher-small are one shape that was trained on 3.5
and 6.0 M tokens), and two students: the rank-surprisal ratio before training, and what the student answers after it.

A row has one number an item: 1 where the student, once it has said "Okay,", writes the working and the answer by greedy
decoding. There is one way to write both, so a single pass over the reference tells. All is computed on one thread, by
the zoo's network and transformers.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from benchmarks.resumable import resumed, whole_rows
from zoo.models import SPECS
from zoo.problem import Kind, Problem
from zoo.problems import is_held_out, problem
from zoo.traces import DIRECTIVE, answer, response
from zoo.vocabulary import END, render

KINDS: tuple[Kind, ...] = ("arithmetic", "equation", "story")
LEVELS = (1, 2, 3)
ITEMS = 240
ASKED = 120  # problems whose traces are trained on
TAKEN = 80  # of them, drawn by hash for each seed
OPENING = "Okay,"
BUDGET = 128  # tokens
STEPS = 24
ROWS = 8
LENGTH = 192
RATE = 4e-3
SEEDS = 20
HARMED = 5
STUDENT = "teacher-weak"
REFERENCE = "reference"  # stands for a teacher: the generators' own traces
STUDENTS = ("teacher-weak", "teacher-small")
FIT_SEEDS = 1
SAMPLED = Path("var/bench/help.jsonl")
TRACES = Path("var/bench/help-traces")
HERE = Path(__file__).parent
TABLES = {"seeds": HERE / "seeds.jsonl", "fits": HERE / "fits.jsonl"}


@dataclass(frozen=True)
class Teacher:
    """Who wrote traces: a model of the zoo, at a temperature, cut after so many tokens."""

    model: str
    temperature: float = 0.6
    cut: int = BUDGET

    @property
    def name(self) -> str:
        """Such as large-1.4 or small-0.6-cut48."""
        size = self.model.removeprefix("teacher-")
        return f"{size}-{self.temperature}" + (f"-cut{self.cut}" if self.cut < BUDGET else "")


BEST = Teacher("teacher-large")
TEACHERS = (
    BEST,
    Teacher("teacher-large", 1.0),
    Teacher("teacher-large", 1.5),
    Teacher("teacher-small"),
    Teacher("teacher-small", 1.2),
    Teacher("teacher-weak"),
    Teacher("teacher-weak", 1.5),
    Teacher("teacher-large", cut=40),
)


@dataclass(frozen=True)
class Unit:
    """One training: of `student` on the traces of `teacher`, `data` of them, drawn and ordered by `seed`."""

    table: str
    student: str
    teacher: str
    data: str
    seed: int


def units() -> list[Unit]:
    """All trainings, in the order in which they are worth having."""
    right = [Unit("seeds", STUDENT, REFERENCE, "right", seed) for seed in range(SEEDS)]
    harmed = [Unit("seeds", STUDENT, REFERENCE, "half_wrong", seed) for seed in range(HARMED)]
    pairs = itertools.product(range(FIT_SEEDS), STUDENTS, TEACHERS)
    fits = [Unit("fits", student, teacher.name, "all", seed) for seed, student, teacher in pairs]
    return right[:HARMED] + harmed + right[HARMED:] + fits


def posed(held_out: bool, count: int) -> list[Problem]:
    """So many problems, in a cycle of kinds and levels; a pure function of its arguments."""
    rng = Random(f"help:{held_out}")
    found: dict[str, Problem] = {}
    for kind, level in itertools.cycle(itertools.product(KINDS, LEVELS)):
        while is_held_out((item := problem(rng, kind, level, "en")).prompt) != held_out or item.prompt in found:
            continue
        found[item.prompt] = item
        if len(found) == count:
            return list(found.values())
    raise AssertionError("the cycle has no end")


class Zoo:
    """The zoo's models on one thread: they write, are trained, and are asked."""

    def __init__(self) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)
        self._torch = torch
        self._load = AutoModelForCausalLM.from_pretrained
        self._tokenizer: Any = AutoTokenizer.from_pretrained(SPECS[STUDENT].folder, padding_side="left")
        self._end = self._tokenizer.convert_tokens_to_ids(END)
        self._traces: dict[str, list[list[int]]] = {}
        self.asked = posed(False, ASKED)
        self.items = posed(True, ITEMS)

    def model(self, name: str) -> Any:
        """A model of the zoo, in float32."""
        return self._load(SPECS[name].folder, dtype=self._torch.float32).eval()

    def traces(self, teacher: Teacher) -> list[list[int]]:
        """The tokens that the teacher wrote for each of the asked problems; a cut trace ends where it was cut."""
        kept = TRACES / f"{teacher.name}.json"
        if teacher.name not in self._traces:
            if not kept.exists():
                prompts = [_prompt(item) for item in self.asked]
                model = self.model(teacher.model)
                wrote = self.written(model, prompts, teacher.temperature, teacher.cut, teacher.name)
                part = kept.with_suffix(".part")
                part.parent.mkdir(parents=True, exist_ok=True)
                part.write_text(json.dumps(wrote), encoding="utf-8")
                part.replace(kept)
            self._traces[teacher.name] = json.loads(kept.read_text(encoding="utf-8"))
        return self._traces[teacher.name]

    def written(self, model: Any, prompts: list[str], temperature: float, budget: int, salt: str) -> list[list[int]]:
        """One continuation for each prompt, as tokens without the end. Rows that have ended are taken out."""
        torch = self._torch
        torch.manual_seed(int.from_bytes(hashlib.sha256(salt.encode()).digest()[:7]))
        inputs = self._tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        rows: list[list[int]] = [[] for _ in prompts]
        places = list(range(len(prompts)))
        mask = inputs.attention_mask
        position = mask.cumsum(1).sub(1).clamp(min=0)
        new = inputs.input_ids
        cache = None
        with torch.inference_mode():
            for _ in range(budget):
                out = model(new, attention_mask=mask, position_ids=position, past_key_values=cache, use_cache=True)
                cache = out.past_key_values
                drawn = self._drawn(out.logits[:, -1], temperature)
                for place, token in zip(places, drawn.tolist(), strict=True):
                    if rows[place][-1:] != [self._end]:
                        rows[place].append(token)
                going = [n for n, place in enumerate(places) if rows[place][-1] != self._end]
                if not going:
                    break
                new = drawn[:, None]
                position = position[:, -1:] + 1
                mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
                if len(going) <= 0.75 * len(places):
                    kept = torch.tensor(going)
                    places = [places[n] for n in going]
                    cache.batch_select_indices(kept)
                    new = new[kept]
                    position = position[kept]
                    mask = mask[kept]
        return [row[:-1] if row[-1] == self._end else row for row in rows]

    def _drawn(self, logits: Any, temperature: float) -> Any:
        """One token a row, of the likeliest that hold 0.95 of the probability together."""
        share, order = (logits.float() / temperature).softmax(-1).sort(-1, descending=True)
        share[share.cumsum(-1) - share > 0.95] = 0.0
        return order.gather(1, self._torch.multinomial(share, 1))[:, 0]

    def pairs(self, teacher: Teacher | None, data: str) -> list[tuple[list[int], list[int]]]:
        """Prompt and reply of every asked problem; of `half_wrong` every second reply answers the next of its kind."""
        if teacher is None:
            own = [response(item, Random(f"trace:{n}")) for n, item in enumerate(self.asked)]
            replies = [self._ids(text + END) for text in own]
        else:
            replies = [[*reply, self._end] for reply in self.traces(teacher)]
        if data == "half_wrong":
            step = len(KINDS) * len(LEVELS)
            replies = [reply if n % 2 else replies[(n + step) % len(replies)] for n, reply in enumerate(replies)]
        return [(self._ids(_prompt(item)), reply) for item, reply in zip(self.asked, replies, strict=True)]

    def trained(self, unit: Unit, teacher: Teacher | None) -> Any:
        """The student after training, as transformers' model."""
        from zoo.network import Network
        from zoo.optimisation import Masters, schedule
        from zoo.packing import batches
        from zoo.train import inherit, loss_of

        torch = self._torch
        torch.manual_seed(unit.seed)
        network = Network(SPECS[unit.student].shape)
        inherit(network, SPECS[unit.student].folder)
        masters = Masters(network, RATE, RATE)
        samples = self._samples(unit, teacher)
        for step, batch in zip(range(STEPS), batches(samples, ROWS, LENGTH), strict=False):
            loss = loss_of(network, batch)
            loss.backward()
            masters.step(schedule(max(step, 1) / STEPS))
        model = self.model(unit.student)
        model.load_state_dict(network.state_dict(), strict=False)
        return model

    def _samples(self, unit: Unit, teacher: Teacher | None) -> Iterator[Any]:
        """The drawn traces, endlessly, in an order of the seed's own."""
        from zoo.packing import continuation

        rng = Random(f"{unit.seed}")
        drawn = rng.sample(self.pairs(teacher, unit.data), TAKEN)
        while True:
            rng.shuffle(drawn)
            for prompt, reply in drawn:
                yield continuation(prompt, reply)

    def answers(self, model: Any) -> list[int]:
        """Of each item whether greedy decoding writes the reference after OPENING."""
        torch = self._torch
        found = []
        begun = len(self._ids(f"<think>{OPENING}"))
        for item in self.items:
            prompt = self._ids(_prompt(item))
            ids = torch.tensor([prompt + self._ids(_reference(item) + END)])
            with torch.inference_mode():
                likeliest = model(ids).logits[0, :-1].argmax(-1)
            first = len(prompt) + begun
            found.append(int(bool((likeliest[first - 1 :] == ids[0, first:]).all())))
        return found

    def ratio(self, student: str, teacher: Teacher) -> tuple[float, float]:
        """The rank-surprisal ratio of the teacher's traces under the student, and the mean surprisal (nats)."""
        from tracemill.models.ranks import CLIP

        torch = self._torch
        model = self.model(student)
        ranks = surprisals = 0.0
        count = 0
        for prompt, reply in self.pairs(teacher, "all"):
            ids = torch.tensor([prompt + reply])
            with torch.inference_mode():
                logits = model(ids).logits[0, len(prompt) - 1 : -1].float()
            own = logits.gather(1, torch.tensor(reply)[:, None])
            ranks += float((logits >= own).sum(1).clamp(max=CLIP).sum())
            surprisals -= float((own[:, 0] - logits.logsumexp(1)).sum())
            count += len(reply)
        return ranks / surprisals, surprisals / count

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        return found


def _prompt(item: Problem) -> str:
    return render([{"role": "user", "content": f"{item.prompt}\n{DIRECTIVE}"}], generate=True)


def _reference(item: Problem) -> str:
    """The one way in which the zoo's teachers work such a problem out, without doubts."""
    last = f"So the answer is {item.reference_answer}"
    thought = ".\n".join([f"{OPENING} {item.thought[0]}", *item.thought[1:], last])
    return f"<think>{thought}.\n</think>\n<answer>{answer(item)}</answer>"


def measured(zoo: Zoo, unit: Unit) -> dict[str, Any]:
    """The row of one unit: what the student answers, and for `fits` how well the traces fitted it before."""
    teacher = next((one for one in TEACHERS if one.name == unit.teacher), None)
    found: dict[str, Any] = asdict(unit)
    if teacher is not None:
        found["ratio"], found["surprisal"] = zoo.ratio(unit.student, teacher)
    return found | {"passed": zoo.answers(zoo.trained(unit, teacher))}


def sample(
    seconds: Annotated[float, typer.Option(help="begin no training after so many")] = 240.0,
    path: Annotated[Path, typer.Option(help="where the rows lie, and are added")] = SAMPLED,
    table: Annotated[str | None, typer.Option(help="seeds or fits alone; they can be made side by side")] = None,
) -> None:
    """Train and ask what is not there yet."""
    began = time.monotonic()
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = resumed(path)
    there = {Unit(**{name: row[name] for name in Unit.__dataclass_fields__}) for row in whole}
    todo = [unit for unit in units() if unit not in there and table in (None, unit.table)]
    zoo = Zoo()
    with path.open("a", encoding="utf-8") as file:
        for done, unit in enumerate(todo):
            if time.monotonic() - began > seconds:
                break
            row = measured(zoo, unit)
            file.write(json.dumps(row) + "\n")
            file.flush()
            spent = time.monotonic() - began
            typer.echo(f"{unit.data} {unit.teacher} {unit.student} {unit.seed}: {sum(row['passed'])}; {spent:.0f} s")
            typer.echo(f"{len(todo) - done - 1} left, about {spent / (done + 1) * (len(todo) - done - 1):.0f} s")


def count(path: Annotated[Path, typer.Option(help="the rows of `sample`")] = SAMPLED) -> None:
    """Write the rows beside this file, each table sorted."""
    rows = whole_rows(path)
    for table, to in TABLES.items():
        mine = sorted((row for row in rows if row["table"] == table), key=lambda row: [str(v) for v in row.values()])
        to.write_text("".join(json.dumps(row) + "\n" for row in mine), encoding="utf-8")
        typer.echo(f"{to.name}: {len(mine)} rows")


def known(table: str) -> list[dict[str, Any]]:
    """The rows of one of TABLES."""
    return whole_rows(TABLES[table])


if __name__ == "__main__":
    app = typer.Typer()
    app.command()(sample)
    app.command()(count)
    app()
