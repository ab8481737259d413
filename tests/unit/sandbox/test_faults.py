"""What the sandbox lacks or refuses is nobody's fault, in every language and every kind of suite."""

import pytest

from tracemill.sandbox.base import Job, Status, StdioSuite
from tracemill.sandbox.judging.faults import with_fault
from tracemill.sandbox.judging.script import refusal
from tracemill.sandbox.languages import by_name

SUITE = StdioSuite(inputs=("1", "2"), outputs=("1", "2"))
NLTK = "  Resource punkt not found.\n  Please use the NLTK Downloader to obtain the resource:"
CRASH, WRONG = "runtime_error", "wrong_answer"


@pytest.mark.parametrize(
    ("language", "status", "tests", "said", "reason", "cause"),
    [
        pytest.param(
            "python", CRASH, [CRASH], "ModuleNotFoundError: No module named 'xy'", "", "missing_module", id="module"
        ),
        pytest.param(
            "python", CRASH, [CRASH], "", "raised ModuleNotFoundError", "missing_module", id="module-in-a-call"
        ),
        pytest.param(
            "python",
            CRASH,
            [CRASH, CRASH],
            "x\nPermissionError: [Errno 1] Operation not permitted",
            "",
            "not_permitted",
            id="fork",
        ),
        pytest.param("python", CRASH, [CRASH], "", "raised PermissionError", "not_permitted", id="fork-in-a-call"),
        pytest.param(
            "python", CRASH, [CRASH], "RuntimeError: can't start new thread", "", "not_permitted", id="threads"
        ),
        pytest.param(
            "python", CRASH, [CRASH], "locale.Error: unsupported locale setting", "", "not_permitted", id="locale"
        ),
        pytest.param(
            "python", CRASH, [CRASH], f"LookupError:\n{NLTK}\n*****", "", "missing_module", id="data-of-a-library"
        ),
        pytest.param("python", CRASH, [CRASH, WRONG], "PermissionError: [Errno 1]", "", None, id="wrong-elsewhere"),
        pytest.param("python", CRASH, [CRASH], "Operation not permitted", "", None, id="only-printed"),
        pytest.param("python", CRASH, [CRASH], "ValueError: no", "raised ValueError", None, id="its-own"),
        pytest.param("python", WRONG, [WRONG], "PermissionError: [Errno 1]", "", None, id="no-crash"),
        pytest.param(
            "cpp",
            "compile_error",
            ["not_run"],
            "a.cpp:1:9: fatal error: boost/x.hpp: No such file or directory",
            "",
            "missing_module",
            id="header",
        ),
        pytest.param(
            "cpp",
            "compile_error",
            ["not_run"],
            "a.cpp:1:9: fatal error: /x: No such file or directory",
            "",
            None,
            id="path",
        ),
        pytest.param(
            "go",
            "compile_error",
            ["not_run"],
            'a.go:3:1: cannot find package "fmtt" in any of:',
            "",
            None,
            id="go-typo",
        ),
        pytest.param(
            "java",
            "compile_error",
            ["not_run"],
            "Main.java:3: error: package Sytem does not exist\n  Sytem.out.println();",
            "",
            None,
            id="java-typo",
        ),
        pytest.param(
            "javascript",
            CRASH,
            [CRASH],
            "Error: Cannot find module 'lodash'",
            "",
            "missing_module",
            id="npm",
        ),
        pytest.param("javascript", CRASH, [CRASH], "Error: Cannot find module './a'", "", None, id="own-file"),
        pytest.param("javascript", CRASH, [CRASH], "Error: spawnSync /bin/sh EPERM", "", "not_permitted", id="spawn"),
    ],
)
def test_what_is_not_there_or_refused_shows_nothing(
    language: str, status: str, tests: list[str], said: str, reason: str, cause: str | None
) -> None:
    found = by_name(language)
    assert found is not None
    verdict = refusal(Job(id="j", source="x", suite=SUITE, language=language), 2, Status(status), reason)
    verdict = verdict.model_copy(update={"detail": {**verdict.detail, "tests": tests, "stderr": said}})
    judged = with_fault(verdict, found)
    assert judged.detail.get("cause") == cause
    assert (judged.status is Status.UNVERIFIABLE) is (cause is not None)
