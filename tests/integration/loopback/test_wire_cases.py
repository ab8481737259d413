"""What servers and proxies really send, byte for byte on a socket, is a whole answer, a cut one, or asked again."""

from __future__ import annotations

import pytest

from benchmarks.serving.wire_cases import WIRE_CASES, WireCase, made_of


@pytest.mark.parametrize("case", WIRE_CASES, ids=lambda case: case.name)
def test_what_is_made_of_it(case: WireCase) -> None:
    assert made_of(case) == (case.right, case.requests)
