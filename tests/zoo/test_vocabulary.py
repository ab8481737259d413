"""The tokenizer loses nothing, keeps digits apart, and holds the long prompts in a few tokens."""

from __future__ import annotations

from random import Random

import pytest
from transformers import PreTrainedTokenizerFast

from zoo.judging import TASKS, Task, judgement
from zoo.models import VOCABULARY
from zoo.templates import fill, phrases
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
    assert len(words.encode(prompt)) < 260
    assert words.decode(words.encode(prompt)) == prompt


def test_the_vocabulary_fits_the_models(words: PreTrainedTokenizerFast) -> None:
    assert len(words) <= VOCABULARY


def test_the_chat_template_and_render_agree(words: PreTrainedTokenizerFast) -> None:
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]
    assert words.apply_chat_template(chat, tokenize=False) == render(chat)
    asked: str = words.apply_chat_template(chat[:2], tokenize=False, add_generation_prompt=True)
    assert asked == render(chat[:2], generate=True)


def test_the_judge_is_trained_on_the_text_that_is_asked() -> None:
    """One filling for training and for use: doubled braces become single, braces in a value are left alone."""
    text = fill("correctness", input_query="{llm_answer}", reference_answer="", llm_answer="{{7}}")
    assert "- Query:\n  {llm_answer}\n" in text
    assert "{{7}}" in text
    assert text.endswith(
        '{\n  "correctness": "<correctness score>",\n}\n\'\'\'\nJustification: (briefly explain your scoring decision):'
    )


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(ValueError, match="'correctness' lacks llm_answer"):
        fill("correctness", input_query="q", reference_answer="r")
