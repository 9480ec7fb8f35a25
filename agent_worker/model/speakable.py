"""
What of a model's text the caller hears and reads: words, by the clause.

No markdown, no tables, no links, no marks of the model's own template. A tool call that is written
as text is taken out of it, and is a call if it is well-formed.
"""

import re
from dataclasses import dataclass, field

from agent_worker.livekit_compat import without_markdown
from agent_worker.model import written_call
from agent_worker.model.written_call import Tools, WrittenCall

WRITTEN_CHARS_MAX = 8_000
"""A tool call that is written as text is read no further,"""
TEXT_CHARS_MAX = 2_000
"""nor is text without a space or an end."""
FIRST_WORDS_MIN = 3
"""A first clause that ends in a comma has as many words at least: "Well," alone sounds odd."""
CLAUSE_CHARS_MAX = 240
"""Longer ones are parted between two words."""

_CONTROL = re.compile(
    r"<\|[^|>\n]{1,40}\|>|</?s>|\[/?INST\]|"
    r"</?(?:think|answer|tool_?calls?|function(?:_call)?|br|b|i|u|p|em|strong|ul|ol|li|div|span|"
    r"table|tr|td|th)\b[^>\n]*>",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?://|\bwww\.)([^\s/)>\]]+)[^\s)>\]]*", re.IGNORECASE)
_TABLE_RULE = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)+(?:\s*:?-+:?)?\s*\|?\s*")
_LEFT_OVER = re.compile(
    r"\*{2,}|(?<=[^\W\d])\*|\*(?=[^\W\d])|`+|~{2,}|(?<!\w)_+|_+(?!\w)|^\s*#{1,6}\s"
)
_ITEM_NUMBER = re.compile(r"\s*\d{1,2}[.)]")
_SENTENCE_END = re.compile(
    r"[.!?\u2026]+[\"'\u2019\u201d)*_]*(?=\s|$)|[\u3002\uff01\uff1f\u0964]|(?<!\s)\s*\n\s*"
)
_PAUSE = re.compile(r"[,;:\u2013\u2014](?=\s)|[\uff0c\uff1b\uff1a]")
_TITLE = re.compile(r"\b(?:mr|mrs|ms|dr|st|nr|prof|approx|vs|e\.g|i\.e)\.$", re.IGNORECASE)
"""A full stop that never ends a sentence,"""
_SHORT = re.compile(r"(?:\b(?:no|etc|inc|ltd|sr|jr|a\.m|p\.m)|\b[A-Za-z]|\d)\.$", re.IGNORECASE)
"""one that does so where no small letter or number follows,"""
_POINT = re.compile(r"\d\.$")
"""and one that may be a number's point while nothing has come after it."""
_OPEN_LINK = re.compile(r"\[[^\]]*$|\[[^\]]*\]\([^)]*$")
_WORD = re.compile(r"\w")


@dataclass
class Speakable:
    """
    Parts a model's text into clauses that can be spoken, and calls.

    Args: tools: those that may be called.
    """

    tools: Tools
    has_unspeakable: bool = field(default=False, init=False)
    """Whether the last thing was neither words nor a call, and was left out."""
    is_lost: bool = field(default=False, init=False)
    """Whether what is written has no end. Nothing more is read."""
    _text: str = field(default="", init=False)
    _written: str | None = field(default=None, init=False)
    """A tool call that is being written."""
    _is_first: bool = field(default=True, init=False)
    _begins_line: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._mark = written_call.mark(frozenset(self.tools))

    def push(self, text: str) -> list[str | WrittenCall]:
        """What is whole by now, with *text* after what came before."""
        found: list[str | WrittenCall] = []
        text = written_call.plain(text)
        while not self.is_lost:
            if self._written is None:
                self._text = (self._text + text).lstrip(" \t\r")
                mark = self._mark.search(self._text)
                if mark is None:
                    found += self._clauses()
                    self.is_lost = len(self._text) > TEXT_CHARS_MAX
                    return found
                self._written, self._text = self._text[mark.start() :], self._text[: mark.start()]
                found += self._rest()
            else:
                self._written += text
            if (end := written_call.end_of(self._written)) is None:
                self.is_lost = len(self._written) > WRITTEN_CHARS_MAX
                return found
            written, text, self._written = self._written[:end], self._written[end:], None
            found += self._calls(written)
        return found

    def end(self, *, is_cut: bool = False) -> list[str | WrittenCall]:
        """
        The rest.

        Args: is_cut: The text broke off: half a clause is left out, and half a call.
        """
        if is_cut or self.is_lost:
            return [*self.pause()]
        written, self._written = self._written, None
        return [*self._rest(), *(self._calls(written) if written else [])]

    def pause(self) -> list[str]:
        """The clauses that are whole if nothing comes for a while."""
        return self._clauses(pauses=True)

    def hurry(self) -> list[str]:
        """The words that are there although their clause is not whole: the caller waits."""
        if whole := self.pause():
            return whole
        words, space, rest = self._text.rpartition(" ")
        waits = self._written is not None or written_call.may_begin(rest) or "|" in words
        if waits or not space or _OPEN_LINK.search(words):
            return []
        self._text = rest
        return self._cleaned([words])

    def _calls(self, written: str) -> list[WrittenCall]:
        calls = written_call.calls_in(written, self.tools)
        self.has_unspeakable = not calls
        return calls

    def _rest(self) -> list[str]:
        found = self._clauses(is_last=True)
        text, self._text = self._text, ""
        return [*found, *self._cleaned([text])]

    def _clauses(self, *, pauses: bool = False, is_last: bool = False) -> list[str]:
        whole: list[str] = []
        while (end := self._end_of_clause(pauses or is_last, is_last)) is not None:
            whole.append(self._text[:end])
            self._text = self._text[end:].lstrip(" \t\r")
        return self._cleaned(whole)

    def _end_of_clause(self, pauses: bool, is_last: bool) -> int | None:
        """Where the first clause of the text ends; None: it may go on."""
        text = self._text
        line = _CONTROL.sub("", text.partition("\n")[0]).lstrip()
        is_table = line.startswith("|") or line.count("|") > 1
        end = self._end_of_sentence(is_table, pauses, is_last)
        if is_table or is_last:
            return end
        if self._is_first:
            for found in _PAUSE.finditer(text, 0, end or len(text)):
                head = text[: found.start()]
                if len(head.split()) >= FIRST_WORDS_MIN and not _OPEN_LINK.search(head):
                    return found.end()
        if end is not None or len(text) <= CLAUSE_CHARS_MAX:
            return end
        space = text.rfind(" ", 0, CLAUSE_CHARS_MAX)
        return space + 1 if space > 0 else None

    def _end_of_sentence(self, is_table: bool, pauses: bool, is_last: bool) -> int | None:
        text = self._text
        for found in _SENTENCE_END.finditer(text):
            head, rest = text[: found.end()], text[found.end() :]
            if _OPEN_LINK.search(head) and len(head) <= CLAUSE_CHARS_MAX:
                continue
            if "\n" in found[0]:
                # "{" alone may be the first line of a call.
                if head.strip() and not written_call.may_begin(head.rstrip()):
                    return found.end()
            elif not (is_table or _ITEM_NUMBER.fullmatch(head) or _TITLE.search(head)):
                after = rest.lstrip()[:1]
                is_short = _SHORT.search(head) is not None
                if is_short and (after.islower() or after.isdigit()):
                    continue
                is_open = not (after if is_short else rest) and found[0][0].isascii()
                if not is_open or is_last or (pauses and not _POINT.search(head)):
                    return found.end()
        return None

    def _cleaned(self, clauses: list[str]) -> list[str]:
        said = []
        for clause in clauses:
            clean = _clean(clause, self._begins_line)
            if clause:
                self._begins_line = clause.endswith("\n") or "\n" in clause[len(clause.rstrip()) :]
            if clean:
                said.append(clean)
                self._is_first = self.has_unspeakable = False
        return said


def _clean(clause: str, begins_line: bool) -> str:
    """*clause* in words; empty where nothing is to be said."""
    lines = clause.splitlines()
    found = [
        words
        for number, line in enumerate(lines)
        if (words := _clean_line(line, begins_line or number > 0))
    ]
    words = " ".join(found)
    if not _WORD.search(words):
        return ""
    # Who hears it does not see where a heading or an item of a list ends.
    ends_line = "\n" in clause[len(clause.rstrip()) :]
    return f"{words}." if ends_line and words[-1].isalnum() else words


def _clean_line(line: str, begins_line: bool) -> str:
    if _TABLE_RULE.fullmatch(line):
        return ""
    line = without_markdown(_CONTROL.sub("", line), begins_line=begins_line)
    line = _LEFT_OVER.sub("", _URL.sub(r"\1", line)).strip()
    if "|" in line:
        cells = (cell.strip() for cell in line.strip("|").split("|"))
        line = ", ".join(cell for cell in cells if cell)
    return " ".join(line.split())
