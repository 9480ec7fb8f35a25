"""Settings that are text of a form."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from service_base.setting_text import AgentName, HttpAddress, OptionalHttpAddress


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "words"),
    [
        (HttpAddress, "http://127.0.0.1:1/a", "", "starts with http:// or https://"),
        (HttpAddress, "https://a", "ftp://a", "starts with http:// or https://"),
        (OptionalHttpAddress, "", "http://a b", "starts with http:// or https://"),
        (OptionalHttpAddress, "https://a", "http://a\n", "starts with http:// or https://"),
        (AgentName, "parley-2.a_b", "parley\n", "1 to 64 letters, digits"),
    ],
)
def test_text_of_another_form_is_refused_in_words(
    kind: Any, right: str, wrong: str, words: str
) -> None:
    """The whole text counts; the pattern is not shown."""
    adapter = TypeAdapter(kind)
    assert adapter.validate_python(right) == right
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(wrong)
    message = caught.value.errors()[0]["msg"]
    assert message.startswith("Value error, expected ") and words in message
