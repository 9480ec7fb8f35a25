"""How many processor cores this process may use."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def cores(cgroup: Path = CGROUP) -> float:
    """The machine's, or fewer where this process is bound to some or its container is limited."""
    there = float(os.cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        there = float(len(os.sched_getaffinity(0)))
    return min(there, _limit(cgroup))


def _limit(cgroup: Path) -> float:
    for quota_file, period_file in (
        ("cpu.max", "cpu.max"),
        ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"),
    ):
        try:
            quota = (cgroup / quota_file).read_text().split()[0]
            period = (cgroup / period_file).read_text().split()[-1]
            if int(quota) > 0 and int(period) > 0:
                return int(quota) / int(period)
        except (OSError, ValueError, IndexError):
            continue  # no such file, or `max`
    return float("inf")
