"""The published data sets: a few rows in each native schema, written here, and what is understood of them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.build.native import FIXTURES, rows_of, source
from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.datasets.benchmark import Benchmark
from tracemill.ingest.source import RowError
from tracemill.sandbox.layouts import suite_from
from tracemill.text.think import split

R1, GEMINI = "deepseek-r1", "gemini-2.0-flash-thinking"


@dataclass(frozen=True)
class Expected:
    """What one fixture row is understood as. `responses`: teacher, chain, verdict of each."""

    prompt: str
    category: str | None
    reference: str | None = None
    tests: bool = False
    responses: tuple[tuple[str, str | None, bool | None], ...] = ()
    turns: int = 0


CHAIN = "\nTwo and two.\n"
TABLE: dict[str, list[Expected]] = {
    "numina_math_cot": [
        Expected("What is $2+2$?", "math", "4", responses=(("numina_math_cot", None, None),)),
        Expected("Prove that 2 is even.", "math", None, responses=(("numina_math_cot", None, None),)),
    ],
    "numina_math_1_5": [
        Expected("What is $3+3$?", "math", "6", responses=(("numina_math_1_5", None, None),)),
        Expected("Prove that 3 is odd.", "math", None, responses=(("numina_math_1_5", None, None),)),
        Expected("Which one? (A) 1 (B) 2", "math", None),
        Expected("What is $4+4$?", "math", None),
    ],
    "metamathqa": [
        Expected(
            "Ana has 2 pens and buys 3 more. How many has she?", "math", "5", responses=(("gpt-3.5-turbo", None, None),)
        ),
        Expected("If x + 1 = 2, find x.", "math", None, responses=(("gpt-3.5-turbo", None, None),)),
    ],
    "natural_reasoning": [
        Expected(
            "Why does ice float?",
            "science",
            "It is less dense than water.",
            responses=(("Llama3.3-70B-Instruct", None, None),),
        ),
        Expected(
            "Describe a proof of the theorem.", "science", None, responses=(("Llama3.3-70B-Instruct", None, None),)
        ),
    ],
    "opencoder_stage2": [
        Expected("Write add_one(n).", "code", None, True, (("opencoder_stage2", None, None),)),
        Expected("Write twice(n).", "code", None, True, (("opencoder_stage2", None, None),)),
    ],
    "omni_math": [Expected("Find $7^4 \\bmod 5$.", "math", "1", responses=(("omni_math", None, None),))],
    "eurus_2_rl": [
        Expected("What is $5+5$?", "math", "10"),
        Expected("Read n and print its double.", "code", None, True),
        Expected("Give every number in Roman numerals.\n\nWhat is $6+6$?", "math", "12", turns=2),
    ],
    "codeio": [
        Expected("Given f(x) = x + 1, predict the output for x = 1.", "reasoning", responses=(("codeio", None, True),)),
        Expected("Given f(x) = x * x, which input gives 9?", "reasoning", responses=(("codeio", None, True),)),
        Expected(
            "Given f(x) = x - 1, predict the output for x = 0.", "reasoning", responses=(("codeio", None, False),)
        ),
        Expected("Given f(x) = 2 * x, which input gives 8?", "reasoning", responses=(("codeio", None, True),)),
        Expected(
            "Given f(x) = x % 3, predict the output for x = 5.", "reasoning", responses=(("codeio", None, False),)
        ),
    ],
    "math_lighteval": [Expected("Compute $6 \\cdot 7$.", "math", "42", responses=(("math", None, None),))],
    "openthoughts_114k": [
        Expected("What is 2 + 2?", "math", "4", responses=((R1, "Two and two.", None),)),
        Expected("Double the number.\ndef double(n):", "code", None, True, ((R1, "Easy.", None),)),
        Expected(
            "Which gas do plants take in?", "science", "carbon dioxide", responses=((R1, "Photosynthesis.", None),)
        ),
    ],
    "openr1_math_220k": [
        Expected("What is $2+2$?", "math", "4", responses=((R1, CHAIN, True), (R1, "\nTwo and", False))),
        Expected("What is $1+1$?", "math", "2", responses=((R1, CHAIN, False),)),
    ],
    "kodcode_v1_sft_r1": [Expected("Write triple(n).", "code", None, True, ((R1, "\nThree times.\n", True),))],
    "bespoke_stratos_17k": [
        Expected("What is 2 + 2?", "math", responses=((R1, "Two and two.", None),)),
        Expected("Print hello.", "code", responses=((R1, "Two and two.", None),)),
        Expected("Answer as a pirate would.\n\nWhat is 3 + 3?", None, responses=((R1, "Two and two.", None),), turns=2),
    ],
    "general_thought": [
        Expected(
            "Why is the sky blue?",
            "Explanation",
            "Rayleigh scattering",
            responses=(("DeepSeek/DeepSeek-R1", "Light and air.", True),),
        ),
        Expected("Why is the sky blue?\n\nAnd at dusk?", "Explanation", turns=3),
        Expected("Why is grass green, and what is 0?", "Explanation", "Rayleigh scattering"),
        Expected("Why is grass green, and what is 1?", "Explanation", "Rayleigh scattering"),
        Expected(
            "Explain to a child.\n\nWhy is snow white?",
            "Explanation",
            "Rayleigh scattering",
            responses=(("deepseek-r1", "Light and air.", True),),
            turns=2,
        ),
    ],
    "dolphin_r1": [
        Expected("Say hello.", None, responses=(("DeepSeek-R1", "A greeting.", None),)),
        Expected("Hi\n\nName a sea.", None, responses=(("DeepSeek-R1", "Seas.", None),), turns=3),
        *(
            Expected(
                f"Translate into {language}.\n\nGood morning, neighbour.",
                None,
                responses=(("DeepSeek-R1", "A greeting.", None),),
                turns=2,
            )
            for language in ("French", "German")
        ),
    ],
    "data_ablation_59k": [
        Expected("What is $2^3$?", "math", "8", responses=((GEMINI, "Two, four, eight.", None),)),
        Expected("Length times width (4)", "crossword", "AREA", responses=((GEMINI, "Four letters.", None),)),
    ],
    "s1k": [
        Expected("What is $2^7$?", "math", "128", responses=((GEMINI, "Doubling.", None),)),
        Expected("What is $3^2$?", "math", "9", responses=((GEMINI, "Square.", None), (R1, "Three threes.", None))),
    ],
    "limo": [Expected("What is $9-4$?", "math", "5", responses=(("limo", None, None),))],
    "infinity_instruct": [
        Expected("写一句关于春天的话。", "creative writing", responses=(("infinity_instruct", None, None),)),
        Expected("Name a colour.", None, responses=(("infinity_instruct", None, None),)),
    ],
    "openorca": [
        Expected("Answer in one word.\n\nCapital of Norway?", None, responses=(("openorca", None, None),)),
        Expected("Capital of Peru?", None, responses=(("openorca", None, None),)),
    ],
}
STATEMENT = """Add two numbers.

## Input Format

Two integers.

## Output Format

Their sum.

## Examples

```input
1 2
```
```output
3
```"""
TABLE |= {
    "codeforces_cots": [
        Expected(f"{STATEMENT}\n\n## Note\n\nMind the sign.", "code", responses=((R1, "\nAdd them.\n", None),)),
        Expected(
            STATEMENT.replace("Add two numbers", "Double a number"),
            "code",
            None,
            True,
            ((R1, "\nAdd them.\n", None),),
        ),
        Expected(
            STATEMENT.replace("Add two numbers", "Guess the number").replace(
                "\n\n## Examples", "\n\n## Interaction Format\n\nPrint a guess, read the answer.\n\n## Examples"
            )
            + "\n\n## Note\n\nMind the sign.",
            "code",
            responses=((R1, "\nAdd them.\n", None),),
        ),
    ],
    "deepcoder_preview": [
        Expected("Read n, print n + 1.", "code", None, True),
        Expected(
            "Add the numbers.\nclass Solution:\n    def add(self, a: int, b: int) -> int:\n        ", "code", None, True
        ),
        Expected("Square a number.", "code", None, True),
        Expected("No tests here.", "code"),
    ],
    "llama_nemotron": [
        Expected("Why is ice cold?", "science", responses=(("DeepSeek-R1", "\nHeat.\n", None),)),
        Expected("Name a metal.", "chat", responses=(("Mixtral-8x22B-Instruct-v0.1", None, None),)),
        Expected("Answer in Latin.\n\nHello\n\nGoodbye", "chat", responses=(("unknown", None, None),), turns=4),
    ],
    "ifeval_like": [
        Expected(
            "Write about tea without commas.",
            "instruction following",
            responses=(("qwen2.5-72b-instruct", None, None),),
        ),
        Expected(
            "Write at least 3 words about ink.",
            "instruction following",
            responses=(("qwen2.5-72b-instruct", None, None),),
        ),
        Expected("Say hello.", "instruction following"),
    ],
}
CASES = [pytest.param(kind, i, row, id=f"{kind}-{i}") for kind, rows in TABLE.items() for i, row in enumerate(rows)]


def test_each_has_a_fixture() -> None:
    assert len(TABLE) == 24
    apart = {file.stem.removeprefix("test_") for file in Path(__file__).parent.glob("test_*.py")}
    kinds = {file.stem for file in FIXTURES.glob("*.jsonl")} - apart
    assert {kind for kind in kinds if not isinstance(source(kind), Benchmark)} == set(
        TABLE
    )  # test_benchmarks has these


@pytest.mark.parametrize(("kind", "index", "expected"), CASES)
def test_a_native_row_is_understood(kind: str, index: int, expected: Expected) -> None:
    row = rows_of(source(kind))[index]
    found = tuple(
        (r.teacher, r.thinking if r.thinking is not None else split(r.text).think, r.verdict) for r in row.responses
    )
    assert (row.prompt, row.category, row.reference_answer) == (expected.prompt, expected.category, expected.reference)
    assert (found, len(row.messages or ())) == (expected.responses, expected.turns)
    assert (row.test_case is not None) == expected.tests
    if row.test_case is not None:
        suite_from(row.test_case)  # the sandbox knows every shape of tests


@pytest.mark.parametrize("kind", TABLE)
def test_a_column_renamed_upstream_stops_the_plan_by_name(kind: str, tmp_path: Path) -> None:
    lines = (FIXTURES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    for column in source(kind).required():
        top = column.split(".")[0]
        rows = [{("old_" + k if k == top else k): v for k, v in json.loads(line).items()} for line in lines]
        path = tmp_path / f"{column}.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
        with pytest.raises(SourceError, match=f"column '{column}' is missing"):
            source(kind, path=str(path)).plan(Resources(), 10)


@pytest.mark.parametrize("kind", TABLE)
def test_every_source_knows_its_repository_and_licence(kind: str) -> None:
    made = source(kind)
    assert made.repo.count("/") == 1
    assert made.license or kind in ("dolphin_r1", "general_thought")  # GeneralThought: a licence per question


@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        pytest.param("natural_reasoning", {"responses": ["text"]}, "bad_value", id="response that is no object"),
        pytest.param("opencoder_stage2", {"testcase": "assert x"}, "bad_value", id="tests that are no JSON"),
        pytest.param("opencoder_stage2", {"testcase": [1]}, "bad_value", id="a test that is no text"),
        pytest.param("eurus_2_rl", {"ability": "music"}, "bad_value", id="unknown ability"),
        pytest.param("openr1_math_220k", {"correctness_math_verify": [True]}, "bad_value", id="verdicts missing"),
        pytest.param("kodcode_v1_sft_r1", {"r1_correctness": "perhaps"}, "bad_value", id="unknown verdict"),
        pytest.param("bespoke_stratos_17k", {"conversations": []}, "null_value", id="no turns"),
        pytest.param("limo", {"question": None}, "null_value", id="no question"),
        pytest.param("numina_math_1_5", {"problem_is_valid": "Incomplete"}, "invalid_problem", id="no valid problem"),
    ],
)
def test_a_row_that_is_not_as_documented_is_refused(kind: str, row: dict[str, Any], reason: str) -> None:
    good = json.loads((FIXTURES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()[0])
    with pytest.raises(RowError) as caught:
        source(kind).understand(good | row)
    assert caught.value.reason == reason


def test_responses_without_a_chain_can_be_left_out() -> None:
    assert [len(row.responses) for row in rows_of(source("openr1_math_220k", responses="reasoned"))] == [2, 1]
    assert [len(row.responses) for row in rows_of(source("metamathqa", responses="reasoned"))] == [0, 0]
    assert [len(row.responses) for row in rows_of(source("openr1_math_220k", responses="none"))] == [0, 0]


def test_infinity_instruct_can_keep_the_whole_conversation() -> None:
    row = rows_of(source("infinity_instruct", turns="all"))[0]
    assert row.prompt == "写一句关于春天的话。\n\n再写一句。"
    assert [turn["role"] for turn in row.messages or ()] == ["user", "assistant", "user"]
    assert [r.text for r in row.responses] == ["花开了。"]


def test_openorca_can_leave_the_system_prompt_out() -> None:
    assert rows_of(source("openorca", system="drop"))[0].prompt == "Capital of Norway?"


def test_openthoughts_default_configuration_has_tagged_conversations() -> None:
    path = str(FIXTURES / "bespoke_stratos_17k.jsonl")
    row = rows_of(source("openthoughts_114k", config="default", path=path))[0]
    assert (row.prompt, split(row.responses[0].text).think) == ("What is 2 + 2?", "Two and two.")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A data set repository as a folder: seven rows of Parquet, in two files."""
    (tmp_path / "data").mkdir()
    for i, numbers in enumerate((range(4), range(4, 7))):
        rows = [{"question": f"What is {n} + {n}?", "solution": "Add.", "answer": str(2 * n)} for n in numbers]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"data/train-{i:05d}-of-00002.parquet")
    return tmp_path


def test_a_repository_is_read_file_by_file(repository: Path) -> None:
    made = source("limo", path="", repo=str(repository))
    parts = made.plan(Resources(), 3)
    names = [f"hf://{repository}/default/train/data/train-0000{i}-of-00002.parquet" for i in (0, 0, 1)]
    assert [(part.file, part.start, part.stop) for part in parts] == [
        (names[0], 0, 3),
        (names[1], 3, 4),
        (names[2], 0, 3),
    ]
    read = [[raw.value["answer"] for raw in made.read(Resources(), part)] for part in reversed(parts)]
    assert read == [["8", "10", "12"], ["6"], ["0", "2", "4"]]


def test_a_repository_that_changed_after_planning_is_refused(repository: Path) -> None:
    made = source("limo", path="", repo=str(repository))
    part = made.plan(Resources(), 10)[1]
    shutil.copy(repository / "data/train-00000-of-00002.parquet", repository / "data/train-00001-of-00002.parquet")
    with pytest.raises(SourceError, match="run `plan` again"):
        list(made.read(Resources(), part))


def test_any_repository_can_be_mapped(repository: Path) -> None:
    columns = {"prompt": "question", "reference_answer": "answer"}
    made = source("huggingface", path="", repo=str(repository), columns=columns, limit=5)
    assert [row.reference_answer for row in rows_of(made, 2)] == ["0", "2", "4", "6", "8"]
    wrong = source("huggingface", path="", repo=str(repository), columns={"prompt": "problem"})
    with pytest.raises(SourceError, match="column 'problem' is missing; the row has: question, solution, answer"):
        wrong.plan(Resources(), 2)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({"repo": "/no/such/folder"}, "there is no such folder", id="no folder"),
        pytest.param({"split": "validation"}, "validation", id="no such split"),
        pytest.param({"config": "hard"}, "hard", id="no such configuration"),
    ],
)
def test_a_repository_that_cannot_be_used_says_why(repository: Path, settings: dict[str, Any], says: str) -> None:
    made = source("limo", **{"path": "", "repo": str(repository), **settings})
    with pytest.raises(SourceError, match=says):
        made.plan(Resources(), 2)


@pytest.mark.parametrize(
    ("kind", "index", "starts"),
    [
        pytest.param("openthoughts_114k", 1, "def double", id="openthoughts"),
        pytest.param("deepcoder_preview", 0, "print(int(input()) + 1)", id="a fenced one of several"),
        pytest.param("deepcoder_preview", 2, "print(int(input()) ** 2)", id="a text"),
        pytest.param("openthoughts_114k", 0, None, id="a worked solution is no program"),
    ],
)
def test_a_program_that_solves_the_problem_is_kept(kind: str, index: int, starts: str | None) -> None:
    solution = rows_of(source(kind))[index].reference_solution
    assert solution == starts if starts is None else (solution or "").startswith(starts)


def test_instructions_come_with_their_arguments() -> None:
    first, second, third = (row.constraints for row in rows_of(source("ifeval_like")))
    assert first == {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
    assert second is not None
    assert second["kwargs"] == [{"num_words": 3, "relation": "at least"}]
    assert third is None


def test_one_set_of_arguments_serves_all_instructions_of_a_row() -> None:
    row = {"instruction": "x", "instruction_id_list": ["a", "b"], "kwargs": '{"num_words": 3}'}
    found = source("ifeval_like", config="default").understand(row).constraints
    assert found is not None
    assert found["kwargs"] == [{"num_words": 3}] * 2


SYSTEM = [{"role": "system", "content": "Answer in Welsh."}, {"role": "user", "content": "Hello?"}]
SHAREGPT = [{"from": "system", "value": "Answer in Welsh."}, {"from": "human", "value": "Hello?"}]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        pytest.param("dolphin_r1", {"messages": SYSTEM}, id="dolphin_r1"),
        pytest.param("eurus_2_rl", {"prompt": SYSTEM}, id="eurus_2_rl"),
        pytest.param("bespoke_stratos_17k", {"system": "Answer in Welsh.", "conversations": SHAREGPT[1:]}, id="column"),
        pytest.param("bespoke_stratos_17k", {"system": None, "conversations": SHAREGPT}, id="bespoke_stratos_17k"),
        pytest.param("general_thought", {"prev_messages": SYSTEM[:1], "question": "Hello?"}, id="general_thought"),
        pytest.param("infinity_instruct", {"conversations": SHAREGPT}, id="infinity_instruct"),
        pytest.param("llama_nemotron", {"input": SYSTEM}, id="llama_nemotron"),
        pytest.param("openorca", {"system_prompt": "Answer in Welsh.", "question": "Hello?"}, id="openorca"),
    ],
)
def test_a_system_prompt_that_says_something_is_part_of_the_problem(kind: str, changes: dict[str, Any]) -> None:
    good = json.loads((FIXTURES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()[0])
    row = source(kind).understand(good | changes)
    assert row.prompt == "Answer in Welsh.\n\nHello?"
    assert kind == "openorca" or [turn["role"] for turn in row.messages or ()] == ["system", "user"]


@pytest.mark.parametrize("kind", TABLE)
def test_only_documented_columns_are_needed_and_ids_decide_nothing(kind: str) -> None:
    """Rows without any optional key, and with a null for each, are understood: the rest is quarantined by name."""
    made = source(kind)
    needed = {name.split(".")[0] for name in made.required()}
    for line in (FIXTURES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        bare = made.understand({name: value for name, value in row.items() if name in needed} | _kept(kind, row))
        nulls = made.understand({k: v if k in needed else None for k, v in row.items()} | _kept(kind, row))
        assert bare.prompt
        assert (bare.prompt, bare.native_id) == (nulls.prompt, "")


def _kept(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """Traces may be in one of several columns, of which one must be there."""
    return {"thinking_trajectories": row.get("thinking_trajectories")} if kind in ("data_ablation_59k", "s1k") else {}
