"""The tokenizer loses nothing, keeps digits apart, and holds the long prompts in a few tokens."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from transformers import PreTrainedTokenizerFast

from zoo.judging import TASKS, Task, judgement
from zoo.models import VOCABULARY
from zoo.templates import fill, phrases, template
from zoo.train import tokenizer
from zoo.vocabulary import render


@pytest.fixture(scope="module")
def words() -> PreTrainedTokenizerFast:
    return tokenizer()


@pytest.mark.parametrize(
    "text",
    ["Compute 12 + 345.", "解方程 3x + 5 = 20。",
     "é ß 🦆 \u2028 \t\n\n", "<think>a</think>\n<answer>\\boxed{-7}</answer>",
     "```python\ndef f(x):\n    return x\n```", "", "  two  spaces  3 4"],
)  # fmt: skip
def test_any_text_comes_back(words: PreTrainedTokenizerFast, text: str) -> None:
    assert words.decode(words.encode(text)) == text


def test_digits_are_single_tokens(words: PreTrainedTokenizerFast) -> None:
    """A number must not be one token, or carries cannot be learnt digit by digit."""
    assert words.tokenize("12 345") == ["1", "2", "Ġ", "3", "4", "5"]


@pytest.mark.parametrize("task", TASKS)
def test_a_filled_prompt_is_short(words: PreTrainedTokenizerFast, task: Task) -> None:
    """The fixed paragraphs of the published prompts are single tokens; only the filled values cost length."""
    prompt = judgement(Random(1), task).prompt
    for phrase in phrases(task):
        assert len(words.tokenize(phrase)) == 1
    assert len(words.encode(prompt)) < 160
    assert words.decode(words.encode(prompt)) == prompt


def test_the_vocabulary_fits_the_models(words: PreTrainedTokenizerFast) -> None:
    assert len(words) <= VOCABULARY


def test_the_chat_template_and_render_agree(words: PreTrainedTokenizerFast) -> None:
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]
    assert words.apply_chat_template(chat, tokenize=False) == render(chat)
    asked: str = words.apply_chat_template(chat[:2], tokenize=False, add_generation_prompt=True)
    assert asked == render(chat[:2], generate=True)


Filled = Callable[[], str]


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        pytest.param("a {input} b", {"input": "x"}, "a x b", id="one field"),
        pytest.param("{input}", {"input": "{llm_answer} {{"}, "{llm_answer} {{", id="braces in a value are left alone"),
        pytest.param('{{"k": "{input}"}}', {"input": "v"}, '{"k": "v"}', id="doubled braces become single"),
        pytest.param('{\n "difficulty": 1 }{input}', {"input": ""}, '{\n "difficulty": 1 }', id="a lone brace stays"),
    ],
)
def test_filling_a_template(text: str, values: dict[str, str], filled: str) -> None:
    assert fill(text, **values) == filled


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="llm_answer"):
        fill(template("correctness"), input_query="q", reference_answer="r")
