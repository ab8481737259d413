"""agentica-org/DeepCoder-Preview-Dataset: programming problems with tests, for reinforcement learning (mit)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tracemill.ingest.columns import items, optional_text, own_id, parsed, text
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.ingest.programs import code_of, first_code
from tracemill.ingest.source import RowError, SourceRow


class DeepcoderPreviewSource(DatasetSource):
    """Configurations `primeintellect` and `taco`; `lcbv5` and `codeforces` hold rows of benchmarks: do not train on
    their `test` split. There are no responses.
    """

    kind: Literal["deepcoder_preview"]
    repo: str = "agentica-org/DeepCoder-Preview-Dataset"
    config: str | None = "primeintellect"
    license: str | None = "mit"
    documented: ClassVar[tuple[str, ...]] = ("problem", "tests")

    def mapped(self, value: dict[str, Any]) -> SourceRow:
        """Map one row; raises RowError for tests that are no JSON of a list or an object."""
        starter = optional_text(value, "starter_code")
        return SourceRow(
            native_id=own_id(value, "question_id"),
            prompt="\n".join(part for part in (text(value, "problem"), starter) if part),
            category=self.category or "code",
            test_case=_tests(value, starter),
            reference_solution=_solution(value),
        )


def _tests(value: dict[str, Any], starter: str | None) -> dict[str, Any] | None:
    tests = parsed(value, "tests")
    if not tests:
        return None
    if not isinstance(tests, list | dict):
        raise RowError("bad_value", f"column 'tests' should be a list or an object, is {type(tests).__name__}")
    about = {"metadata": value.get("metadata"), "starter_code": starter}
    return {"tests": tests, **{name: found for name, found in about.items() if found}}


def _solution(value: dict[str, Any]) -> str | None:
    """The first solution; some configurations have a list, some a text, some none."""
    found = value.get("solutions")
    return code_of(found) if isinstance(found, str) else first_code(items({"solutions": found}, "solutions"))
