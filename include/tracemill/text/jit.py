"""Compiles the inner loops: numba without Python objects, without the GIL, cached on disk next to the module."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import event
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])
U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
Whole = int | np.int64
Flags = NDArray[np.bool_]
at = np.uint64  # as an index within a kernel: a signed one is first checked for counting from the end


progress = logging.getLogger("tracemill.progress")  # shown to people also where nothing else is


class _Teller(event.Listener):  # type: ignore[misc]
    """Says once in a process that something is compiled: the kernels of `rules` take 12 s of a core, of `sign` 4."""

    told = False

    def on_start(self, event: Any) -> None:
        if not self.told:
            type(self).told = True
            progress.info("Compiling the inner loops, only the first time on this machine: up to 20 s of a core.")

    def on_end(self, event: Any) -> None:
        """Nothing is said at the end of each."""


event.register("numba:compile", _Teller())  # what is taken from the disk is no such event


def kernel(function: F) -> F:
    """Compile a loop over arrays; integers wrap and float sums keep their order, so all machines agree."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True, boundscheck=False)(function))
    except RuntimeError:  # neither this folder nor the home can be written: compile anew in every process
        return cast(F, numba.njit(nogil=True, boundscheck=False)(function))


@kernel
def mixed(value: np.uint64) -> np.uint64:
    """Spread a 64-bit value over all bits (the finaliser of splitmix64)."""
    z = np.uint64(value + np.uint64(0x9E3779B97F4A7C15))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.uint64(z ^ (z >> np.uint64(31)))


@kernel
def chained(left: np.uint64, right: np.uint64) -> np.uint64:
    """Hash of a sequence extended by one value; the order counts."""
    return mixed(np.uint64(left * np.uint64(0x9DDFEA08EB382D69)) ^ right)
