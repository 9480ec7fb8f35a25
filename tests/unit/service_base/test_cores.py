"""How many cores a process may use."""

from pathlib import Path

import pytest

from service_base.cores import cores


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"cpu.max": "50000 100000\n"}, 0.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "25000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.25),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": ""}, None),
        ({}, None),
    ],
)
def test_cores_are_the_machine_s_or_what_the_container_may_use(
    tmp_path: Path, files: dict[str, str], limit: float | None
) -> None:
    """In both of Linux's ways to say it; what cannot be read limits nothing."""
    whole = cores(tmp_path)
    assert whole >= 1
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cores(tmp_path) == (whole if limit is None else limit)
