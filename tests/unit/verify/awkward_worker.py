"""A worker program for tests of the pool: its jobs name what it does (spin, sleep, hoard, or say a word)."""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def do(wish: str) -> str:
    """Never comes back from `spin` and `sleep`; `hoard` takes memory until it is ended."""
    if wish == "spin":
        while True:
            pass
    if wish == "sleep":
        time.sleep(3600)
    if wish == "hoard":
        kept = []
        while True:
            kept.append(os.urandom(1 << 20))
    return wish


if __name__ == "__main__":
    os.write(1, b"ready\n")
    for line in sys.stdin.buffer:
        job = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, job["cpu_seconds"])
        word = do(job["answer"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(1, word.encode() + b"\n")
