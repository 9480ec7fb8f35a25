"""Settings that are text of a form. What is expected is said in words, not as a pattern."""

import re
from typing import Annotated

from pydantic import AfterValidator


def matching(pattern: str, expected: str) -> AfterValidator:
    """Takes what *pattern* matches from end to end; *expected* says that in words."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


HTTP = r"https?://\S+"
HTTP_EXPECTED = "an address that starts with http:// or https://"
HttpAddress = Annotated[str, matching(HTTP, HTTP_EXPECTED)]
OptionalHttpAddress = Annotated[str, matching(f"({HTTP})?", f"{HTTP_EXPECTED}, or nothing")]

AgentName = Annotated[
    str,
    matching(r"[A-Za-z0-9_.-]{1,64}", "1 to 64 letters, digits, underscores, dots or hyphens"),
]
"""The name under which workers register with the SFU."""
