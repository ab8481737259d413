"""Python: run by the worker's own warm interpreter, see worker/python.py."""

from tracemill.sandbox.languages.base import Language

LANGUAGE = Language(
    name="python",
    title="Python",
    tags=frozenset({"python", "python3", "py", "py3", "pypy", "pypy3", "python2", "cpython"}),
)
