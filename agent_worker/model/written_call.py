"""Tool calls that a model writes as text, in the forms that models are known to use."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Tools = Mapping[str, Mapping[str, Any]]
"""The JSON Schema of each argument, by name, of each tool, by name."""

_MARKS = (
    r"<\|?(?:tool|function)[\w ]*\b[^>\n]*>|<\|python_tag\|>|"
    r"<\|channel\|>\s*(?:commentary|analysis)\b|<function=|\[TOOL_CALLS?\]|```|\bto=functions\.|<\|?DSML\b|\{\s*\""
)
_UNFINISHED = re.compile(
    r"(?:<\|?[\w |=]{0,24}|\[[\w]{0,40}|`{1,2}|\bto=[a-z.]{0,9}|\{\s*)$", re.IGNORECASE
)
_CLOSES = re.compile(
    r"</(?:tool_?calls?|tool_use|function(?:_call)?)>|<\|/?tool_?calls?(?:_section)?(?:_end)?\|>|"
    r"<\|(?:call|end|eom_id|eot_id|im_end)\|>",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"<parameter=([\w.-]+)>[ \t]*\n?(.*?)\n?[ \t]*</parameter>", re.DOTALL)
_FUNCTION = re.compile(r"<function=([\w.-]+)>(.*?)(?:</function>|$)", re.DOTALL)
_OPENS = re.compile(r"\[\s*\{|\{")
_INSIDE = re.compile(r"\"(?:arguments|parameters|args|input)\"\s*:\s*")
_NAME = re.compile(r"\"(?:name|function|tool)\"\s*:\s*\"([^\"\\]+)\"")
_JSON = json.JSONDecoder()
_FENCE = "```"


@dataclass(frozen=True)
class WrittenCall:
    """A tool call that a model wrote as text."""

    name: str
    arguments: str
    """A JSON object, as it was written where it was written as JSON."""


def plain(text: str) -> str:
    """*text* with the marks of DeepSeek's template in the letters of the others."""
    return text.replace("\uff5c", "|").replace("\u2581", "_")


@lru_cache(maxsize=64)
def mark(tools: frozenset[str]) -> re.Pattern[str]:
    """Where a call begins, one of *tools* as in Python too: `[look(room=7)]`."""
    names = "|".join(map(re.escape, sorted(tools)))
    python = rf"|\[?\b(?:{names})\((?=\s*(?:\w+\s*=|\)))" if names else ""
    return re.compile(_MARKS + python, re.IGNORECASE)


def may_begin(text: str) -> bool:
    """Whether *text* ends in what may become a mark."""
    return _UNFINISHED.search(text) is not None


def end_of(text: str) -> int | None:
    """Where what began with a mark at the head of *text* ends; None: it goes on."""
    if text.startswith(_FENCE):
        closing = text.find(_FENCE, len(_FENCE))
        return None if closing < 0 else closing + len(_FENCE)
    if (closes := _CLOSES.search(text)) is not None:
        return closes.end()
    if text.startswith("<"):
        return None
    if (opens := _OPENS.search(text)) is not None:
        try:
            return _JSON.raw_decode(text, opens.start())[1]
        except ValueError:  # not whole yet, or not JSON at all
            return None
    closing = text.find(")")
    return closing + 1 if closing >= 0 and "(" in text[:closing] else None


def calls_in(text: str, tools: Tools) -> list[WrittenCall]:
    """The well-formed calls of one of *tools* in *text*."""
    # What a model only thinks of in its channel for that is no call.
    thinks = text.startswith("<|channel|>") and "to=functions." not in text
    return [] if thinks else list(_calls(text, tools))


def _calls(text: str, tools: Tools) -> Iterator[WrittenCall]:
    tagged = list(_FUNCTION.finditer(text))
    for one in tagged:
        if one[1] not in tools:
            continue
        if parameters := _PARAMETER.findall(one[2]):
            kinds = tools[one[1]]
            values = {name: _value(value, kinds.get(name, {})) for name, value in parameters}
            yield WrittenCall(one[1], json.dumps(values))
        elif _is_object(arguments := one[2].strip() or "{}"):
            yield WrittenCall(one[1], arguments)
    if tagged:
        return
    at = found = 0
    while (at := text.find("{", at)) >= 0:
        try:
            end = _JSON.raw_decode(text, at)[1]
        except ValueError:
            at += 1
            continue
        call = _in_json(text[found:at], text[at:end], tools)
        at = found = end
        if call is not None:
            yield call
    if not found:
        yield from _in_python(text, tools)


def _in_json(before: str, raw: str, tools: Tools) -> WrittenCall | None:
    """The call in the JSON object *raw*, which a tool's name may stand before."""
    words = [word.removeprefix("functions.") for word in re.findall(r"[A-Za-z_][\w.-]*", before)]
    if (name := next((word for word in reversed(words) if word in tools), None)) is not None:
        return WrittenCall(name, raw)
    named = _NAME.search(raw)
    name = named[1].removeprefix("functions.") if named else ""
    if name not in tools:
        return None
    inside = _INSIDE.search(raw)
    if inside is None:
        return WrittenCall(name, "{}")
    end = _JSON.raw_decode(raw, inside.end())[1]
    arguments = raw[inside.end() : end]
    if arguments.startswith('"'):
        arguments = json.loads(arguments)
    return WrittenCall(name, arguments) if _is_object(arguments) else None


def _in_python(text: str, tools: Tools) -> Iterator[WrittenCall]:
    try:
        tree = ast.parse(text.strip("[ \n]"), mode="eval")
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        try:
            values = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg}
            if node.func.id in tools and not node.args:
                yield WrittenCall(node.func.id, json.dumps(values))
        except (ValueError, TypeError):
            continue


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """What is written between tags: a string where the tool wants one, else JSON if it is any."""
    if schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
