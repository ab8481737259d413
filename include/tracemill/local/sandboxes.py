"""Which sandboxes a recipe runs programs in, and whether this machine can have them: asked before any work is done."""

from __future__ import annotations

from tracemill.curate.precheck import Precheck
from tracemill.recipe import Recipe
from tracemill.sandbox.base import SandboxSettings
from tracemill.sandbox.pool import open_sandbox
from tracemill.verify.code import CodeVerifier
from tracemill.verify.step import Verify


def sandboxes_of(recipe: Recipe) -> list[SandboxSettings]:
    """The sandboxes of the recipe's verifiers, none twice; [] for a recipe that runs no programs."""
    steps = [step for step in recipe.pipeline().values() if isinstance(step, Verify | Precheck)]
    found = [verifier.sandbox for step in steps for verifier in step.verifiers if isinstance(verifier, CodeVerifier)]
    return list(dict.fromkeys(found))


def try_sandboxes(recipe: Recipe) -> list[str]:
    """Open each of them and try to break out; returns their grades. Raises SandboxUnavailable with what to enable."""
    grades = []
    for settings in sandboxes_of(recipe):
        with open_sandbox(settings.model_copy(update={"workers": 1})) as sandbox:
            grades.append(sandbox.isolation)
    return grades
