"""What a rendered text says and its tokens do not: lost characters, control tokens inside, turns that never end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tokenizers import Regex, normalizers

from tests.build.planted import TWO_TURNS
from tests.build.released import row
from tests.build.tokenizer import narrow_folder, tokenizer_folder
from tracemill.release.layout import SCHEMA
from tracemill.release.proof.batch import proved_batch
from tracemill.release.proof.ending import ending
from tracemill.release.proof.faults import Found
from tracemill.release.proof.prover import Prover
from tracemill.release.proof.templates import Template, template
from tracemill.release.trainers.layouts import LayoutName
from tracemill.release.writer import METADATA

CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% else %}{{ m.content }}{% endif %}"
    "END{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\nASKED{% endif %}"
)


def written(end: str, asked: str = "") -> str:
    return CHAT.replace("END", end).replace("ASKED", asked)


def found(
    against: Template, layout: LayoutName, *made: dict[str, object], most: int | None = None
) -> list[list[Found]]:
    rows = pa.Table.from_pylist([{"messages": each["messages"]} for each in made], SCHEMA)
    known = [{"generation_id": f"g{k}", "verdicts": [], "measurements": []} for k in range(len(made))]
    lines = proved_batch(Prover(against, most), layout, None, rows, pa.Table.from_pylist(known, METADATA))
    return [list(line.found) for line in lines]


def faults(against: Template, layout: LayoutName, *made: dict[str, object]) -> list[list[str]]:
    return [list(dict.fromkeys(one.fault for one in line)) for line in found(against, layout, *made, most=10_000)]


PLAIN = row("Two and two.", "4")
CHINESE = row("解：二加二得四。", "4")
CODE = row("It prints.", "for k in range(2):\n    print(k)")
ACCENTS = row("Naïve, but so.", "4")


@pytest.mark.parametrize(
    ("unknown", "white", "said"),
    [
        pytest.param("<unk>", True, [[], ["unreadable"], ["unreadable"], []], id="one token for all that is unknown"),
        pytest.param(None, True, [[], ["unreadable"], ["unreadable"], []], id="no token at all: characters vanish"),
        pytest.param("<unk>", False, [["unreadable"]] * 4, id="white space vanishes"),
    ],
)
def test_words_that_no_token_holds_are_said_by_row(
    unknown: str | None, white: bool, said: list[list[str]], tmp_path: Path
) -> None:
    """Trap: the rendered text is whole, and a student would read <unk> <unk> <unk>, or nothing."""
    against = Template("own", written("<|im_end|>"), str(narrow_folder(tmp_path, unknown, white)))
    rows = (PLAIN, CHINESE, ACCENTS, CODE)
    assert faults(against, "prompt_completion", *rows) == said
    ((told, *_),) = found(against, "prompt_completion", CHINESE)
    assert told.detail == "thinking: the tokenizer has no token for '解'"


@pytest.mark.parametrize(
    ("normalizer", "said"),
    [
        pytest.param(None, ["", "", "", ""], id="none"),
        pytest.param(normalizers.NFC(), ["", "", "", ""], id="composed, which is the same text"),
        pytest.param(normalizers.NFKC(), ["", "has no token for '²'", "", ""], id="x² becomes x2"),
        pytest.param(normalizers.Lowercase(), ["", "", "has no token for 'S'", ""], id="small letters"),
        pytest.param(normalizers.Replace(Regex(" {2,}"), " "), ["forgets some ' '", "", "", ""], id="no indentation"),
        pytest.param(normalizers.Replace("\t", " "), ["", "", "", "has no token for '\\t'"], id="no tabs"),
    ],
)
def test_a_tokenizer_that_reads_other_words_is_said(normalizer: Any, said: list[str], tmp_path: Path) -> None:
    """Trap: no token is unknown and every word has some, and a student learns x2 for x², or code that does not run."""
    tokenizer = str(tokenizer_folder(tmp_path, normalizer=normalizer))
    rows = [
        row("for k in x:\n    print(k)", "4"),
        row("so x² + y² = e\u0301", "4"),
        row("a Set of THREE", "4"),
        row("if x:\n\tprint(x)", "4"),
    ]
    told = found(Template("own", written("<|im_end|>"), tokenizer), "prompt_completion", *rows)
    wanted = [[Found("unreadable", f"thinking: the tokenizer {one}")] if one else [] for one in said]
    assert told == wanted


def test_a_trace_that_speaks_of_the_end_of_a_turn_would_end_there(tmp_path: Path) -> None:
    against = Template("own", written("<|im_end|>"), str(tokenizer_folder(tmp_path)))
    rows = (
        row("Qwen ends turns with <|im_end|>, so", "4"),
        row("so", "print('<|endoftext|>')"),
        row("as </s> and <|pad|> are to others", "<think> is no control token here"),
        row("so", "4", ("user", "What is <|im_end|>?")),  # of the prompt nothing is learned
    )
    told = found(against, "prompt_completion", *rows)
    assert told[0] == [Found("control_inside", "thinking: '<|im_end|>' is read as a control token")]
    assert told[1] == [Found("control_inside", "answer: '<|endoftext|>' is read as a control token")]
    assert told[2:] == [[], []]


@pytest.mark.parametrize("made", [row("", "word " * 200), row("word " * 200, " ")], ids=["thinking", "answer"])
def test_a_blank_row_that_is_too_long_is_said_to_be(made: dict[str, object], tmp_path: Path) -> None:
    """Trap: who allows blank thinking and has long rows left out trains on a long row that packing cuts unasked."""
    against = Template("own", written("<|im_end|>"), str(tokenizer_folder(tmp_path)))
    ((blank, cut),) = found(against, "prompt_completion", made, most=64)
    assert blank.fault in ("empty_thinking", "empty_answer")
    assert (cut.fault, cut.detail[-7:]) == ("end_cut", " tokens")
    ((alone,),) = found(against, "prompt_completion", made, most=10_000)
    assert alone == blank
    refusing = Template("own", "{{ raise_exception('no') }}", against.folder)
    ((_, refused),) = found(refusing, "prompt_completion", made, most=64)
    assert refused == Found("refused", "no")


ENDED = "{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"


@pytest.mark.parametrize(
    ("text", "layout", "said"),
    [
        pytest.param(written("<|im_end|>"), "prompt_completion", [], id="ended by a token of its own"),
        pytest.param(written("\n"), "prompt_completion", ["end_missing"], id="nothing but a line feed"),
        pytest.param(written(""), "am", ["end_missing"], id="nothing"),
        pytest.param(written("<|stop|>\n"), "prompt_completion", ["end_unknown"], id="a mark that the tokenizer parts"),
        pytest.param(written("<|im_end|>"), "am", ["end_outside_loss"], id="behind the generation mark"),
        pytest.param(
            CHAT.replace("{% generation %}{{ m.content }}{% endgeneration %}", ENDED).replace(
                "END{% endfor", "{% endfor"
            ),
            "am",
            [],
            id="inside the generation mark",
        ),
    ],
)
def test_how_a_response_ends_is_said(text: str, layout: LayoutName, said: list[str], tmp_path: Path) -> None:
    """Trap: a student that never saw its turn end in the loss writes on until the token limit, and fails for that."""
    against = Template("own", text.replace("ASKED", ""), str(tokenizer_folder(tmp_path)))
    assert faults(against, layout, PLAIN, CODE) == [said, said]


def test_a_prompt_that_a_student_is_not_asked_by_is_said() -> None:
    """Trap: qwen3_5_nothink trains thinking, and asks with an empty block of it: what is served never thinks."""
    open_block = written("<|im_end|>", asked="<think>\n")  # as DeepSeek's: the response begins with it, too
    assert faults_without_tokens(Template("own", open_block)) == [[], []]
    shut = written("<|im_end|>", asked="<think>\n\n</think>\n\n")
    assert faults_without_tokens(Template("own", shut)) == [["prompt_mismatch"]] * 2
    (said,) = found(template("qwen3_5_nothink"), "prompt_completion_reasoning", PLAIN)
    assert [one.fault for one in said] == ["prompt_mismatch"]


def faults_without_tokens(against: Template) -> list[list[str]]:
    made = found(against, "prompt_completion", PLAIN, row("And again.", "6", *TWO_TURNS))
    return [[one.fault for one in line] for line in made]


@pytest.mark.parametrize(
    ("text", "layout", "token"),
    [
        (template("qwen2_5").text, "prompt_completion", "<|im_end|>"),
        (template("qwen3").text, "prompt_completion_reasoning", "<|im_end|>"),
        (template("phi3").text, "prompt_completion", "<|end|>"),
        (template("gptoss").text, "prompt_completion_thinking", "<|return|>"),
        (written("<|stop|>"), "prompt_completion", None),
        (written("\n"), "prompt_completion", None),
        ("{{ raise_exception('no') }}", "prompt_completion", None),
    ],
)
def test_the_token_that_ends_a_response_is_known(
    text: str, layout: LayoutName, token: str | None, tmp_path: Path
) -> None:
    assert ending(Template("own", text, str(tokenizer_folder(tmp_path))), layout) == token
    assert ending(Template("own", text), layout) is None
