"""Turns the end of a model server's log into one clear error with a remedy."""

from __future__ import annotations

import re

from tracemill.errors import RecipeError, ServingError, TracemillError
from tracemill.serving.model import Model

_LAST_LINES = 12
_NOISE = re.compile(
    r"^\s*(?:$|at |File |\^|Traceback|warnings\.warn)|^\(.*\) *INFO|^INFO"
    r"|leaked |nanobind|skipped remainder|resource_tracker"  # what the interpreter says of any process that ends early
)
_CAUSE = re.compile(r"\b(?:\w*(?:Error|Exception)\b:?|ERROR|CRITICAL|died|killed)")
_KNOWN: tuple[tuple[str, type[TracemillError], str], ...] = (
    (
        r"address already in use|Errno 98",
        ServingError,
        "its port is taken. Leave serve.port at 0 to get a free one, or end what holds the port",
    ),
    (
        r"out of memory|OutOfMemoryError|No available memory for the cache|larger than the available KV cache"
        r"|Free memory on device .* is less than|Cannot allocate memory|Not enough memory|MemoryError",
        ServingError,
        "it ran out of memory. Lower serve.max_model_len, raise serve.tensor_parallel, or free the device",
    ),
    (
        r"is not a local folder and is not a valid model identifier|Repository Not Found|RepositoryNotFoundError"
        r"|Can't load the configuration|couldn't connect to|LocalEntryNotFound|OfflineModeIsEnabled|Invalid repository"
        r"|outgoing traffic has been disabled|does not appear to have a file named|RevisionNotFound|HFValidationError",
        RecipeError,
        "there is no such model to load. Check `weights` and `revision`, and whether this machine may reach the Hub",
    ),
    (
        r"unrecognized arguments|invalid choice|error: argument",
        RecipeError,
        "vLLM does not know one of its options. Correct serve.flags",
    ),
    (
        r"Cannot find any model weights|No such file or directory: .*safetensors|SafetensorError|not supported for now"
        r"|Model architectures .* (?:failed|are not supported)",
        RecipeError,
        "its files cannot be loaded as a model. Check that the folder is complete and of an architecture vLLM knows",
    ),
)


def explained(model: Model, log: str, what: str) -> TracemillError:
    """The error to raise for a server that did `what` ("ended with code 1", "was not healthy after 60 s")."""
    for pattern, error, remedy in _KNOWN:
        found = re.search(pattern, log, re.IGNORECASE)
        if found:
            line = _line_around(log, found.start())
            return error(f"the server of model {model.name!r} {what}: {remedy}. vLLM says: {line}")
    said = [line for line in log.splitlines() if not _NOISE.search(line)]
    causes = [line for line in said[:-_LAST_LINES] if _CAUSE.search(line)][-_LAST_LINES:]
    tail = "\n".join([*causes, *said[-_LAST_LINES:]])
    return ServingError(
        f"the server of model {model.name!r} {what}. The end of its log:\n{tail or '(it said nothing)'}"
    )


def _line_around(log: str, place: int) -> str:
    start = log.rfind("\n", 0, place) + 1
    end = log.find("\n", place)
    return log[start : end if end >= 0 else len(log)].strip()[:400]
