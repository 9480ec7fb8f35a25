"""Reads a file of YAML that an agent's author wrote."""

from pathlib import Path
from typing import Any

import yaml

_TEXT = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


class YamlMistake(Exception):
    """A file cannot be read. The message names the file, the line if there is one, and why."""


class _Loader(yaml.SafeLoader):
    """
    Refuses a key that is there twice, where PyYAML would keep the last one silently, and a key
    that is not text: `no` is False without quotes.
    """

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        assert node is not None
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag not in _TEXT:
                raise yaml.MarkedYAMLError(
                    problem="a key must be text: put it in quotes", problem_mark=key.start_mark
                )
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return node


def read(file: Path) -> Any:
    """
    What *file* holds.

    Raises: YamlMistake: it cannot be read, is not YAML, or has a key twice.
    """
    try:
        # A subclass of the safe loader.
        return yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        said = ": ".join(part for part in (error.context, error.problem) if part)
        raise YamlMistake(f"{file}{line}: {said}") from None
    except (OSError, UnicodeError, yaml.YAMLError, ValueError) as error:
        raise YamlMistake(f"{file}: {' '.join(str(error).split())}") from None
