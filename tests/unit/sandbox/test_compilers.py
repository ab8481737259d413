"""A compiler that was ended shows nothing; one that refused the program does."""

import pytest

from tracemill.sandbox.judging.script import CompilerEnded, build_failure
from tracemill.sandbox.languages.blame import is_to_blame
from tracemill.sandbox.worker.compilers import was_ended

BOMB = "template <int N, int M> struct A { static const int v = A<N - 1, M>::v + A<N - 1, M + (1 << N)>::v; };"


@pytest.mark.parametrize(
    ("code", "text", "ended"),
    [
        pytest.param(1, "/build/solution.cpp:1:5: error: 'x' was not declared", False, id="refused"),
        pytest.param(-9, "", True, id="killed-for-memory"),
        pytest.param(-24, "", True, id="out-of-time"),
        pytest.param(1, "g++: fatal error: Killed signal terminated program cc1plus\n", True, id="child-killed"),
        pytest.param(
            1, "\ncc1plus: out of memory allocating 65536 bytes after a total of 9 bytes\n", True, id="no-memory"
        ),
        pytest.param(1, "virtual memory exhausted: Cannot allocate memory\n", True, id="no-address-space"),
        pytest.param(
            4,
            "g++: internal compiler error: File size limit exceeded signal terminated program as\n",
            True,
            id="file",
        ),
        pytest.param(
            1, "/build/solution.cpp:3:1: internal compiler error: Segmentation fault", True, id="its-own-fault"
        ),
        pytest.param(3, "\nThe system is out of resources.\nConsult the following", True, id="javac"),
        pytest.param(1, "Main.java:1: error: not a statement\n java.lang.OutOfMemoryError: 3;", False, id="quoted"),
        pytest.param(
            1, "Main.java:1: error: x\njava.lang.OutOfMemoryError e = 3;", False, id="quoted-at-its-beginning"
        ),
        pytest.param(1, "a.cpp:1:2: error: #error out of memory allocating 3 bytes", False, id="the-sources-words"),
        pytest.param(2, "go build internal/x: /usr/lib/go/tool/compile: signal: killed\n", True, id="go"),
    ],
)
def test_a_compiler_that_was_ended_is_told_from_one_that_refused(code: int, text: str, ended: bool) -> None:
    assert was_ended({"exit": code, "idle": False}, text.encode()) is ended


@pytest.mark.parametrize(
    ("source", "blamed"),
    [
        pytest.param('#include "/dev/zero"', True, id="a-device"),
        pytest.param("#include <bits/stdc++.h>\n # include <../../proc/kcore>", True, id="above-its-own-folder"),
        pytest.param('const X: &[u8] = include_bytes!("/dev/zero");', True, id="rust"),
        pytest.param(BOMB, True, id="template-without-end"),
        pytest.param("#include <vector>\nint a[1 << 28] = {1};\nint main() {}", False, id="a-long-table"),
        pytest.param(
            "template <class T> struct Tree { T a; };\nTree<int> x; int main() { return 2 - 1; }",
            False,
            id="template",
        ),
        pytest.param("template<" * 100_000 + "struct A" * 9, False, id="costs-little"),
    ],
)
def test_the_source_is_to_blame_for_what_it_reads_and_repeats(source: str, blamed: bool) -> None:
    assert is_to_blame(source) is blamed


def test_what_an_ended_compiler_says_is_believed_only_against_a_source_to_blame() -> None:
    event = {"event": "compile_error", "reason": "Killed", "ended": True}
    assert build_failure(event, BOMB) == "Killed"
    assert build_failure({**event, "ended": False}, "int main() {") == "Killed"
    with pytest.raises(CompilerEnded):
        build_failure(event, "int main() {}")
