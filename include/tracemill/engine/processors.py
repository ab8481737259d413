"""How many processors this process may use: a container's share is not what the machine has."""

from __future__ import annotations

import os
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def processors(groups: Path = GROUPS) -> int:
    """The processors of this process's affinity, or fewer where its control group has a quota; at least one."""
    allowed = len(os.sched_getaffinity(0))
    quota = _quota(groups)
    return max(1, allowed if quota is None else min(allowed, round(quota)))


def _quota(groups: Path) -> float | None:
    """Processors by the quota of a container's control group, version 2 or 1; None without one."""
    try:
        if (groups / "cpu.max").is_file():
            words = (groups / "cpu.max").read_text().split()
        else:
            words = [(groups / "cpu" / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")]
        quota = float(words[0])
        period = float(words[1])
    except (OSError, ValueError, IndexError):
        return None  # no quota ("max"), or no control groups here
    return quota / period if quota > 0 and period > 0 else None
