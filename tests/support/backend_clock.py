"""The clock of an example's backend."""

from datetime import datetime, timedelta


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **amount: float) -> None:
        """Args: as those of `timedelta`."""
        self.at += timedelta(**amount)
