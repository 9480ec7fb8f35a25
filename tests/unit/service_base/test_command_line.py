"""What the commands have in common."""

import argparse
import sys

import pytest

from service_base.command_line import parse


def test_argument_that_is_not_utf8_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Python passes on such bytes; every other text is taken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    monkeypatch.setattr(sys, "argv", ["program", "caf\u00e9"])
    assert parse(parser).name == "caf\u00e9"
    monkeypatch.setattr(sys, "argv", ["program", "caf\udce9"])
    with pytest.raises(SystemExit) as exit_:
        parse(parser)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.endswith("error: an argument is not UTF-8 text\n")
