"""Chooses how a test source is judged: as calls where it says no more than that, else two slots, else one process."""

import ast

from .base import AssertSuite, HumanEvalSuite, Job, Limits, PytestSuite
from .remote import judge_remotely
from .scripts import Script
from .testfiles import judge_in_process, needs_one_process


def judge_tests(job: Job, limits: Limits, suite: PytestSuite | HumanEvalSuite | AssertSuite) -> Script:
    """Return the script that judges a test source."""
    source = suite.test_code if isinstance(suite, PytestSuite) else suite.test if isinstance(suite, HumanEvalSuite) else ""
    if needs_one_process(ast.parse(source)):
        return judge_in_process(job, limits, suite)
    return judge_remotely(job, limits, suite)
