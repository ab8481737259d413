"""What programs find around them has a digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracemill.engine.resources import Resources
from tracemill.sandbox import environment
from tracemill.sandbox.base import SandboxSettings, SandboxUnavailable
from tracemill.verify.code import CodeVerifier


def test_the_same_environment_has_the_same_digest_whatever_the_workers() -> None:
    one, two = (environment.environment_digest(SandboxSettings(workers=n)) for n in (1, 2))
    assert one == two


def test_a_changed_package_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_tools", list)
    environment._machine.cache_clear()
    before = environment.environment_digest(SandboxSettings())
    monkeypatch.setattr(environment, "_packages", lambda python: {"numpy-9.9.9.dist-info"})
    environment._machine.cache_clear()
    assert environment.environment_digest(SandboxSettings()) != before
    environment._machine.cache_clear()


def test_an_interpreter_that_is_not_there_is_our_trouble() -> None:
    with pytest.raises(SandboxUnavailable, match="cannot be run"):
        environment.environment_digest(SandboxSettings(python=Path("/nowhere/python")))


def test_verdicts_on_programs_depend_on_it() -> None:
    assert set(CodeVerifier().material(Resources(workers=1))) == {"sandbox environment"}
