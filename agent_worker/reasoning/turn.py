"""What a caller said in one turn, and when."""

from datetime import datetime
from typing import Self


class Turn(str):
    """
    The words of one turn as they were said or typed; they know when that was.

    "Tomorrow" is settled by it, whenever the words are read again.
    """

    said_at: datetime
    """With a time zone: the caller's, where it is known."""

    def __new__(cls, text: str, said_at: datetime | None = None) -> Self:
        """Args: said_at: None: just now, where the machine is."""
        if said_at is None:
            said_at = text.said_at if isinstance(text, Turn) else datetime.now().astimezone()
        made = super().__new__(cls, text)
        made.said_at = said_at
        return made
