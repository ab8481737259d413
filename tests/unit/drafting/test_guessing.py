"""Columns are guessed as public data sets call them; whatever the rows are, a draft loads and says what is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemill.drafting.asked import PROVIDERS, Asked, provider, variable
from tracemill.drafting.guessing import guessed, require_problem, said, unused
from tracemill.drafting.looking import Look, look
from tracemill.drafting.parts import named, unaccounted
from tracemill.drafting.reading import problem_of, unreadable
from tracemill.drafting.writing import Draft, recipe_name, write, written
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, SourceError
from tracemill.ingest.mapped import JsonlSource
from tracemill.local.demand import served_models
from tracemill.recipe import load_recipe

LONG = "First we see that the sum is even. " * 20


def seen(*rows: dict[str, Any]) -> Look:
    return Look("x.jsonl", False, None, rows)


ASKED = [{"role": "user", "content": "Compute 3 + 4."}]
SETS: dict[str, tuple[dict[str, Any], dict[str, str], list[str]]] = {
    "DAPO: the prompt is turns": (
        {"prompt": ASKED, "reward_model": {"ground_truth": "7", "style": "rule"}, "extra_info": {"index": "u"}},
        {"messages": "prompt", "reference_answer": "reward_model.ground_truth", "id": "extra_info.index"},
        [],
    ),
    "Skywork-OR1: the answer is a list of one, as text": (
        {"prompt": ASKED, "ability": "math", "reward_model": {"ground_truth": '["7"]', "style": "rule"}},
        {"messages": "prompt", "reference_answer": "reward_model.ground_truth.0"},
        ["ability"],
    ),
    "two answers are no one answer": (
        {"question": "Compute the roots.", "answer": '["7", "8"]'},
        {"prompt": "question", "reference_answer": "answer"},
        [],
    ),
    "an interval is no list": (
        {"question": "Where is it positive?", "answer": "[7]"},
        {"prompt": "question", "reference_answer": "answer"},
        [],
    ),
    "gsm8k: the answer is a text that ends in its mark": (
        {"question": "Tim has 3 cats and buys 4.", "answer": LONG + "\n#### 7"},
        {"prompt": "question", "reference_answer": "answer"},
        [],
    ),
    "MATH: the solution holds a box": (
        {"problem": "Find $x$.", "level": "Level 3", "type": "Algebra", "solution": LONG + "\\boxed{4}"},
        {"prompt": "problem", "reference_answer": "solution", "difficulty": "level", "category": "type"},
        [],
    ),
    "NuminaMath 1.5: answer and solution": (
        {"problem": "Find $x$.", "solution": LONG, "answer": "4"},
        {"prompt": "problem", "reference_answer": "answer"},
        ["solution"],
    ),
    "MBPP": (
        {
            "task_id": 3,
            "text": "Add two.",
            "code": "def add(a, b):\n    return a + b",
            "test_list": ["assert add(1, 2) == 3"],
        },
        {"id": "task_id", "prompt": "text", "reference_solution": "code", "test_case": "test_list"},
        [],
    ),
    "alpaca: half of the prompt is the input": (
        {"instruction": "Translate.", "input": "Haus", "output": LONG},
        {"prompt": "instruction", "after": "input", "response": "output"},
        [],
    ),
    "SVAMP: the body comes first": (
        {"Body": "Jo has 3 nuts.", "Question": "How many?", "Answer": 3.0, "Equation": "3"},
        {"prompt": "Question", "before": "Body", "reference_answer": "Answer"},
        ["Equation"],
    ),
    "LiveCodeBench: code that the answer must begin with": (
        {"question_content": "Add.", "starter_code": "def add(a, b):", "public_tests": '[{"a": 1}]'},
        {"prompt": "question_content", "after": "starter_code"},
        ["public_tests"],
    ),
    "the code that is asked about is no solution": (
        {"question": "What is printed?", "code": "def f():\n    print(7)\nf()", "answer": "7"},
        {"prompt": "question", "reference_answer": "answer"},
        ["code"],
    ),
    "HumanEval: a text of tests that no shape knows": (
        {"prompt": "def f(x):", "test": "def check(f):\n    assert f(1) == 2", "entry_point": "f"},
        {"prompt": "prompt"},
        ["test", "entry_point"],
    ),
    "fields of an object": (
        {"data": {"question": "What is 1 + 1?", "answer": "2"}},
        {"prompt": "data.question", "reference_answer": "data.answer"},
        [],
    ),
    "OpenOrca": (
        {"id": "f.1", "system_prompt": "You explain.", "question": "Why?", "response": LONG},
        {"id": "id", "system": "system_prompt", "prompt": "question", "response": "response"},
        [],
    ),
    "ShareGPT": (
        {"id": "a", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]},
        {"id": "id", "messages": "conversations"},
        [],
    ),
    "a choice whose options stand elsewhere": (
        {"question": "Which?", "choices": ["a", "b"], "answer": "B"},
        {"prompt": "question", "options": "choices", "reference_answer": "answer"},
        [],
    ),
    "long answers are responses": (
        {"question": "Why?", "answer": LONG},
        {"prompt": "question", "response": "answer"},
        [],
    ),
    "tests as JSON text": (
        {"problem": "Read n.", "input_output": '{"inputs": ["1"], "outputs": ["2"]}'},
        {"prompt": "problem", "test_case": "input_output"},
        [],
    ),
    "capital letters": ({"Problem": "Find.", "Answer": 204}, {"prompt": "Problem", "reference_answer": "Answer"}, []),
    "Chinese names": ({"问题": "求解", "答案": "4"}, {"prompt": "问题", "reference_answer": "答案"}, []),
    "no known name, one text": ({"n": 1, "aufgabe": "Finde x."}, {"prompt": "aufgabe"}, ["n"]),
    "verdicts are no answers": ({"question": "Why?", "answer": True}, {"prompt": "question"}, ["answer"]),
}


@pytest.mark.parametrize(("row", "roles", "left"), SETS.values(), ids=SETS)
def test_columns_are_taken_for_what_they_are(row: dict[str, Any], roles: dict[str, str], left: list[str]) -> None:
    found = seen(row, row)
    assert guessed(found) == roles
    assert unused(found, guessed(found)) == left


CHOICES = {"prompt": "question", "options": "choices"}
ANSWERS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "MMLU: numbers from 0": (
        [{"question": "?", "choices": ["x", "y", "z"], "answer": n} for n in (0, 2)],
        CHOICES | {"answer_index": "answer"},
    ),
    "from 1, or is it?": ([{"question": "?", "choices": ["x", "y", "z"], "answer": n} for n in (1, 2)], CHOICES),
    "from 1 for sure is not read": ([{"question": "?", "choices": ["x", "y"], "answer": n} for n in (1, 2)], CHOICES),
    "the options are numbers, and so is the answer": (
        [{"question": "?", "choices": ["0", "2", "1"], "answer": n} for n in ("0", "2")],
        CHOICES | {"reference_answer": "answer"},
    ),
    "MMLU-Pro: a mark and its number": (
        [{"question": "?", "choices": ["x", "y"], "answer": "A", "answer_index": 0}],
        CHOICES | {"reference_answer": "answer"},
    ),
    "MedQA: a text and its mark": (
        [{"question": "?", "choices": {"A": "iron", "B": "zinc"}, "answer": "zinc", "answer_idx": "B"}],
        CHOICES | {"reference_answer": "answer_idx"},
    ),
    "ARC: marks of its own": (
        [{"question": "?", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"}],
        CHOICES | {"reference_answer": "answerKey"},
    ),
    "one column for each": (
        [{"question": "?", "opa": "x", "opb": "y", "opc": "z", "cop": 0}],
        {"prompt": "question", "options": ("opa", "opb", "opc"), "answer_index": "cop"},
    ),
    "small letters may be what is computed with": (
        [{"question": "a + b + c?", "a": "1", "b": "2", "c": "3", "answer": "6"}],
        {"prompt": "question", "reference_answer": "answer"},
    ),
    "the question shows them already": (
        [{"question": "Which? A. red B. blue", "choices": ["red", "blue"], "answer": "A"}],
        {"prompt": "question", "reference_answer": "answer"},
    ),
}


@pytest.mark.parametrize(("rows", "roles"), ANSWERS.values(), ids=ANSWERS)
def test_options_are_asked_and_the_right_one_is_told_by_mark_number_or_not_at_all(
    rows: list[dict[str, Any]], roles: dict[str, Any]
) -> None:
    assert guessed(seen(*rows)) == roles


LEFT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an input beside what is no instruction": ({"question": "Sum?", "input": "17 and 25", "answer": "42"}, ["input"]),
    "numbers": ({"question": "a + b?", "a": 17, "b": 25, "answer": "42"}, ["a", "b"]),
    "a table": ({"question": "Who?", "table": {"rows": [["Jo", 3]]}, "answer": "Jo"}, ["table"]),
    "facts in a list": ({"question": "Who?", "facts": ["Jo won."], "answer": "Jo"}, ["facts"]),
    "two texts that could both be it": ({"problem": "Jo has 3.", "question": "How many?", "answer": "3"}, ["question"]),
    "a copy of it": ({"problem": "How  many?", "question": "How many?", "answer": "3"}, []),
    "code that is asked about": ({"question": "Printed?", "code": "print(7)", "answer": "7"}, ["code"]),
    "an image": ({"question": "How long is AB?", "image": "iVBORw0KGgo=", "answer": "3"}, ["image"]),
    "beside a conversation": (
        {"messages": [{"role": "user", "content": "Sum?"}], "context": "17 and 25", "answer": "42"},
        ["context"],
    ),
    "fields beside the one that is used": ({"d": {"question": "Sum?", "given": "1, 2", "answer": "3"}}, ["d.given"]),
    "where it is from, and what is said of its answer": (
        {"question": "Sum?", "source": "x", "solution": LONG, "is_hard": True, "problem_id": 3, "answer": "42"},
        [],
    ),
    "nothing in them": ({"question": "Sum?", "input": "", "hints": [], "answer": "42"}, []),
}


@pytest.mark.parametrize(("row", "left"), LEFT.values(), ids=LEFT)
def test_what_may_be_a_part_of_the_problem_is_never_left_out_in_silence(row: dict[str, Any], left: list[str]) -> None:
    found = seen(row, row)
    roles = guessed(found)
    assert unaccounted(found, roles) == left
    assert unaccounted(found, roles, left) == []
    assert unaccounted(found, roles, ["*"]) == []


def test_the_problem_is_shown_as_it_is_asked_and_unreadable_rows_are_counted() -> None:
    found = seen(*({"instruction": "Add.", "input": text, "output": LONG} for text in ("17 and 25", ["3", "4"])))
    roles = guessed(found) | {"after": "input"}
    assert problem_of(found, roles) == "Add.\n\n17 and 25"
    assert [line[:7] for line in unreadable(found, roles)] == ["1 of 2 "]
    with pytest.raises(RecipeError, match="no row can be read"):
        unreadable(seen(found.rows[1]), roles)
    with pytest.raises(RecipeError, match="`answer_index` needs `options`"):
        unreadable(found, {"prompt": "instruction", "answer_index": "output"})


def test_a_person_knows_better() -> None:
    found = seen({"a": "x", "b": "y", "c": "z"})
    roles = said(guessed(found), ["prompt=b", "reference_answer=a", "response="], found)
    assert roles == {"prompt": "b", "reference_answer": "a"}
    assert said(roles, ["after=c, a"], found) == {"prompt": "b", "after": ("c", "a")}
    assert said({"prompt": "a", "options": ("b", "c")}, ["after=b"], found) == {
        "prompt": "a",
        "options": "c",
        "after": "b",
    }
    assert said(roles, ["messages=b"], found) == {"messages": "b", "reference_answer": "a"}
    for wrong, told in {
        "prmpt=a": "did you mean 'prompt'",
        "prompt=d": "no such column",
        "prompt": "ROLE=COLUMN",
        "prompt=a,b": "is one column",
    }.items():
        with pytest.raises(RecipeError, match=told):
            said(roles, [wrong], found)


def test_without_a_problem_there_is_no_recipe() -> None:
    found = seen({"x": "one text", "y": "another"})
    with pytest.raises(RecipeError, match="--column prompt=NAME; the rows have: x, y"):
        require_problem(guessed(found), found)


ASKED = Asked("org/R1", url="http://127.0.0.1:8000", key=None)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=True) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["question", "answer", "tests", "messages", "solution", "q: #1", 'a"b', "x.y", "é\U0001f600", "- z"]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.dictionaries(NAMES, JSON, max_size=5), min_size=1, max_size=3))
def test_whatever_the_rows_hold_the_guess_is_a_guess_and_the_draft_is_read_back(rows: list[dict[str, Any]]) -> None:
    found = seen(*rows)
    roles = guessed(found)
    assert {name if name in found.columns else name.split(".")[0] for name in named(roles)} <= set(found.columns)
    if {"prompt", "messages"} & roles.keys():
        (source,) = load_recipe(written(Draft("mine", found, roles, ASKED), Path("/"))).sources
        assert isinstance(source, JsonlSource)
        assert source.columns.model_dump(exclude_none=True) == roles


@pytest.mark.parametrize(
    "name", ["my rows.jsonl", "a'b\"c.jsonl", "$HOME.jsonl", "五.jsonl", "a: b #c.jsonl", "[x].jsonl"]
)
def test_any_path_is_found_again_from_the_recipes_folder(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_text('{"q": "What is it?", "a": "4"}\n')
    monkeypatch.chdir(tmp_path / "data")
    found = look(name, Resources(workers=1))
    write(Draft(recipe_name(name), found, guessed(found), ASKED), tmp_path / "mine.yaml")
    monkeypatch.chdir("/")
    recipe = load_recipe(str(tmp_path / "mine.yaml"))
    assert recipe.sources[0].state(recipe.located(Resources(workers=1)))
    with pytest.raises(RecipeError, match="is there already"):
        write(Draft("mine", found, guessed(found), ASKED), tmp_path / "mine.yaml")


def test_what_is_no_file_and_no_id_and_what_is_empty_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(SourceError, match="is empty"):
        look(str(tmp_path / "empty.jsonl"), Resources(workers=1))
    with pytest.raises(RecipeError, match="no such file"):
        look(str(tmp_path / "gone.jsonl"), Resources(workers=1))


@pytest.mark.parametrize(("name", "mark"), [("rows.csv", ","), ("rows.tsv", "\t")])
def test_a_table_of_text_is_refused_with_a_command_that_mends_it(tmp_path: Path, name: str, mark: str) -> None:
    (tmp_path / name).write_text(f'question{mark}answer\n"Say ""é""{mark} twice\nor so"{mark}007\n', encoding="utf-8")
    with pytest.raises(RecipeError, match="JSON Lines") as caught:
        look(str(tmp_path / name), Resources(workers=1))
    command = str(caught.value).split("as it is written: ")[1]
    subprocess.run(command.replace("python", sys.executable, 1), shell=True, cwd=tmp_path, check=True)
    found = look(str(tmp_path / "rows.jsonl"), Resources(workers=1))
    assert found.rows == ({"question": f'Say "é"{mark} twice\nor so', "answer": "007"},)


def test_plain_text_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("What is it?\n")
    with pytest.raises(RecipeError, match="where a problem ends"):
        look(str(tmp_path / "rows.txt"), Resources(workers=1))


def test_a_folder_of_weights_and_a_documented_data_set_make_recipes_that_load(tmp_path: Path) -> None:
    (tmp_path / "models" / "own").mkdir(parents=True)
    (tmp_path / "models" / "own" / "config.json").write_text("{}")
    weights = Asked("own", weights=str(tmp_path / "models" / "own"), thinks=False)
    known = look_of("open-r1/OpenR1-Math-220k", "openr1_math_220k")
    write(Draft("mine", known, {}, weights), tmp_path / "mine.yaml")
    recipe = load_recipe(str(tmp_path / "mine.yaml"))
    model = served_models(recipe)["own"].model
    assert model.weights == "./models/own"
    assert model.location(recipe.located(Resources())) == str(tmp_path / "models" / "own")
    assert list(recipe.steps)[4:8] == ["rules", "verify_math", "verify_code", "distill"]
    with pytest.raises(RecipeError, match="holds no model"):
        written(Draft("mine", known, {}, Asked("x", weights=str(tmp_path))), tmp_path)


def look_of(repo: str, kind: str) -> Look:
    return Look(repo, True, kind, ({"problem": "What?"},))


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_has_its_own_profile(name: str) -> None:
    api = Asked("m", url=PROVIDERS[name][0], key="K").api()
    assert api is not None
    assert api.takes == name


def test_a_model_is_named_by_its_provider_or_its_address() -> None:
    assert provider("DeepSeek") == ("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY")
    assert provider("https://api.openai.com/v1")[1] == "OPENAI_API_KEY"
    assert provider("http://127.0.0.1:8000")[1] is None
    for below in ("/chat/completions", "/chat/completions/", "/models"):
        assert provider(f"https://api.openai.com/v1{below}")[0] == "https://api.openai.com/v1"
    with pytest.raises(RecipeError, match="write its address"):
        provider("deepsek")


@pytest.mark.parametrize(
    "key", ["sk-abc", "AIzaSyD3-9tX", "0f3a", "Bearer x", "a b", "gsk_1a2b3c4d5e6f7g8h9i0j"], ids=lambda key: key[:4]
)
def test_what_looks_like_a_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(RecipeError, match="looks like a key itself") as caught:
        variable(key)
    assert key not in str(caught.value)


def test_the_name_of_a_variable_is_taken_however_it_is_written() -> None:
    assert [variable(one) for one in ("MY_KEY", "${MY_KEY}", "$MY_KEY", "", None)] == ["MY_KEY"] * 3 + [None] * 2
