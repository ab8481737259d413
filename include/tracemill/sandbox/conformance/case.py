"""One conformance case: a program, what it is judged against, and the verdicts that a sound sandbox may give."""

from dataclasses import dataclass, field

from tracemill.sandbox.base import CallSuite, Limits, PytestSuite, Status, StdioSuite, TestSuite

ANY_FAILURE = frozenset(Status) - {Status.ACCEPTED}
ACCEPTED = frozenset({Status.ACCEPTED})
LIMITS = Limits(cpu_seconds=1.0, wall_seconds=2.0, memory_bytes=256 << 20, output_bytes=4 << 20)
SUM = StdioSuite(inputs=("1 2\n", "30 4\n", "-5 6\n"), outputs=("3\n", "34\n", "1\n"))
ONE_SUM = StdioSuite(inputs=("1 2\n",), outputs=("3\n",))


def statuses(*words: str) -> frozenset[Status]:
    """Return the named statuses as a set."""
    return frozenset(map(Status, words))


@dataclass(frozen=True)
class Case:
    """`group` says what a wrong verdict means: in "isolation" and "cheating" an acceptance is a breach."""

    name: str
    group: str
    source: str
    wanted: frozenset[Status]
    suite: TestSuite = SUM
    language: str = "python"
    limits: Limits = LIMITS
    needs: str | None = None
    known: str = field(default="", compare=False)

    @property
    def must_fail(self) -> bool:
        """Whether accepting this program would be an escape or a false accept."""
        return Status.ACCEPTED not in self.wanted


def attack(name: str, body: str, needs: str | None = None) -> Case:
    """Return an isolation case: the program prints the right answer only if the function body returns true."""
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    source = (
        f"def attack():\n{lines}\na, b = map(int, input().split())\ntry:\n    won = attack()\n"
        "except Exception:\n    won = False\nprint(a + b if won else 'held')\n"
    )
    return Case(name, "isolation", source, ANY_FAILURE, ONE_SUM, needs=needs)


def call_suite(expected: object = 3) -> CallSuite:
    """Return a suite of two calls of `add`."""
    return CallSuite(fn_name="add", args=((1, 2), (2, 1)), expected=(expected, expected))


def test_file(body: str) -> PytestSuite:
    """Return a pytest suite for `add`."""
    return PytestSuite(test_code=f"from solution import add\n\n{body}", entry_point="add")


PLAIN_TESTS = test_file("def test_one():\n    assert add(1, 2) == 3\n\ndef test_two():\n    assert add(2, 2) == 4\n")
RUN_TESTS = test_file(
    "def test_one():\n    values = [add(n, 1) for n in range(3)]\n    assert values == [1, 2, 3]\n\n"
    "def test_two():\n    assert add(2, 2) == 4 and add(5, 5) == 10\n"
)
