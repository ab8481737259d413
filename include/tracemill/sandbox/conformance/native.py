"""The rows of the table that every language brings: correct programs, and one of each kind that must be held."""

from tracemill.sandbox.base import Limits, StdioSuite
from tracemill.sandbox.conformance.case import ACCEPTED, ANY_FAILURE, Case, statuses
from tracemill.sandbox.languages import Language, all_languages

_SUITE = StdioSuite(inputs=("1 2\n",), outputs=("3\n",))
_LIMITS = Limits(cpu_seconds=1.0, wall_seconds=2.0, memory_bytes=256 << 20, output_bytes=4 << 20)
# A busy core may need more than a second to fill so much memory.
_FILLING = _LIMITS.model_copy(update={"cpu_seconds": 4.0, "wall_seconds": 5.0})
_MEMORY = statuses("memory_limit_exceeded", "runtime_error")
# What each kind of program must be called; every kind that is not here is a correct program.
_KINDS = {
    "network": ANY_FAILURE,
    "files": ANY_FAILURE,
    "write": ANY_FAILURE,
    "fork": ANY_FAILURE,
    "exec": ANY_FAILURE,
    "memory": _MEMORY,
    "grow": _MEMORY,
    "buffers": _MEMORY,
    "direct-memory": _MEMORY | statuses("time_limit_exceeded"),
    "time": statuses("time_limit_exceeded"),
    "idle": statuses("time_limit_exceeded"),
    "output": statuses("output_limit_exceeded", "time_limit_exceeded"),
    "crash": statuses("runtime_error"),
    "exception": statuses("runtime_error"),
    "exit": statuses("runtime_error"),
    "broken": statuses("compile_error", "runtime_error"),
    "compiler-memory": statuses("compile_error"),
    "compiler-file": statuses("compile_error"),
    "compiler-time": statuses("compile_error"),
    "compiler-limit": statuses("unverifiable"),
    "lacking": statuses("unverifiable"),
}
_GROUPS = {"network": "isolation", "files": "isolation", "write": "isolation", "fork": "isolation", "exec": "isolation"}


def _of(language: Language) -> list[Case]:
    return [
        Case(
            name=f"{language.name}-{kind}",
            group=_GROUPS.get(kind, "resource" if kind in _KINDS else "correct"),
            source=source,
            wanted=_KINDS.get(kind, ACCEPTED),
            suite=_SUITE,
            language=language.name,
            limits=_FILLING if _KINDS.get(kind) is _MEMORY else _LIMITS,
            needs=language.name,
        )
        for kind, source in language.cases.items()
    ]


CASES = [case for language in all_languages().values() for case in _of(language)]
