"""A prompt and what an answer fences become one program: a body, a whole function, a body without indentation."""

from __future__ import annotations

import pytest

from tracemill.text.completion import completed

SIGNATURE = "import math\n\ndef area(r):\n"
DOCUMENTED = SIGNATURE + '    """ Rounded """\n'
WHOLE = "def area(r):\n    return round(math.pi * r * r)"


@pytest.mark.parametrize("prompt", [SIGNATURE, DOCUMENTED], ids=["bare-signature", "with-docstring"])
@pytest.mark.parametrize(
    "offered",
    [
        WHOLE,
        "    return round(math.pi * r * r)",
        "return round(math.pi * r * r)",
        "if r:\n    return round(math.pi * r * r)",
    ],
    ids=["whole-function", "body", "body-without-indentation", "several-lines"],
)
def test_every_way_to_go_on_is_one_program(prompt: str, offered: str) -> None:
    names: dict[str, object] = {}
    exec(compile(completed(prompt, offered), "program", "exec"), names)  # the texts above, not a model's
    assert names["area"](1) == 3  # type: ignore[operator]


def test_what_is_no_program_stays_what_it_is() -> None:
    assert completed(DOCUMENTED, "def (") == f"{DOCUMENTED}\ndef ("
