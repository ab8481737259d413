"""Which sandboxes a recipe runs programs in, and whether this machine can have them: asked before any work is done."""

from __future__ import annotations

from collections.abc import Sequence

from tracemill.curate.precheck import Precheck
from tracemill.distill.pilot import Pilot
from tracemill.distill.step import Distill
from tracemill.engine.step import Step
from tracemill.recipe import Recipe
from tracemill.sandbox.base import SandboxSettings
from tracemill.sandbox.pool import open_sandbox
from tracemill.verify import AnyVerifier
from tracemill.verify.code import CodeVerifier
from tracemill.verify.step import Verify


def sandboxes_of(recipe: Recipe) -> list[SandboxSettings]:
    """The sandboxes of the recipe's verifiers, none twice; [] for a recipe that runs no programs."""
    named = [verifier for step in recipe.pipeline().values() for verifier in _verifiers(step)]
    return list(dict.fromkeys(one.sandbox for one in named if isinstance(one, CodeVerifier)))


def _verifiers(step: Step) -> Sequence[AnyVerifier]:
    if isinstance(step, Distill | Pilot):
        return step.teacher.policy.judged_by
    return step.verifiers if isinstance(step, Verify | Precheck) else ()


def try_sandboxes(recipe: Recipe) -> list[str]:
    """Open each of them and try to break out; returns their grades. Raises SandboxUnavailable with what to enable."""
    grades = []
    for settings in sandboxes_of(recipe):
        with open_sandbox(settings.model_copy(update={"workers": 1})) as sandbox:
            grades.append(sandbox.isolation)
    return grades
