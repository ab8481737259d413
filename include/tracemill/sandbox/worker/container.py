"""Turns the first process of a container into the worker: standard input and output become the stream of frames."""

import os

from . import zygote
from .execution import CONTROL


def main() -> None:
    """Take over descriptors 0 and 1, close the archive that the worker came in, and serve."""
    for source, target in zip((0, 1), CONTROL, strict=True):
        os.dup2(source, target, inheritable=False)
    null = os.open("/dev/null", os.O_RDWR)
    for target in (0, 1):
        os.dup2(null, target)
    os.closerange(3, min(CONTROL))
    zygote.main()
