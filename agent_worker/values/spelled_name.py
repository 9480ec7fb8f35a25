"""Names of people, as said or spelled: "it's Smith, S M Y T H", "Anne-Marie O'Neill"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import JsonValue
from rapidfuzz.distance.Levenshtein import normalized_similarity as ratio

from agent_worker.values.calendar_words import MONTHS, WEEKDAYS
from agent_worker.values.corrections import correct_character, without_lead
from agent_worker.values.kind import Kind
from agent_worker.values.letters import Spelled, spell, spelled_runs, upper_words
from agent_worker.values.tokens import APOSTROPHE
from agent_worker.values.value import Found

MAX_CHARS = 100
MAX_WORDS = 6
SPELLED_MIN_SIMILARITY = 0.4
"""How much what was spelled must be like the word that it spells."""
CORRECTED_MIN_SIMILARITY = 0.5
"""How much one word must be like the word of a name that it stands for."""

_NAME_WORD = r"[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*\.?"
_SURE_INTRO = (
    rf"(?:my\s+(?:full\s+|first\s+|last\s+)?name{APOSTROPHE}?s?(?:\s+is)?|the\s+name{APOSTROPHE}?s?"
    rf"(?:\s+is)?|name{APOSTROPHE}s|i{APOSTROPHE}?\s?a?m\s+called|they\s+call\s+me"
    rf"|(?:under|in)\s+the\s+name(?:\s+of)?|name\s+is|(?:put|book)\s+(?:me|it)\s+(?:down\s+|in\s+)?(?:as|under))"
)
_INTRO = (
    rf"(?:{_SURE_INTRO}|i{APOSTROPHE}m|i\s+am|this\s+is|it{APOSTROPHE}?s|it\s+is|that{APOSTROPHE}?s"
    rf"|that\s+is|call\s+me|call|phone|ring|telephone|contact|for|under)"
)
_FIND = re.compile(rf"\b(?:(?P<sure>{_SURE_INTRO})|{_INTRO})[\s,:]+", re.I)
_CAPITALS = r"(?-i:[A-Z][^\W\d_]*(?:[-'\u2019.][^\W\d_]+)*\.?)"
_INTRODUCED_AFTER = re.compile(
    rf"(?<!\w)(?P<name>{_CAPITALS}(?:\s+{_CAPITALS}){{1,3}})"
    r"(?=\s+(?:here|speaking|calling|is\s+my\s+name)\b|\s*(?:,|$))",
    re.I,
)
"""Before "speaking", or alone between commas."""
_LEAD = re.compile(
    rf"\W*(?:(?:yes|yeah|sure|okay|ok|well|so|um|uh|er|oh|hi|hello|no|sorry|of\s+course|certainly"
    rf"|and|please|actually|i\s+said|i\s+mean)\b[\s,.]*)*(?:{_INTRO}\b[\s,:]*)?"
    r"(?:(?:mister|mr\.?|missus|mrs\.?|ms\.?|miss|dr\.?|doctor)\s+)?",
    re.I,
)
_TAIL = re.compile(
    r"(?:[\s,.!?]*\b(?:please|thanks|thank\s+you|here|speaking|calling|is\s+my\s+name))*[\s,.!?]*$",
    re.I,
)
_SPELLED_AS = re.compile(
    rf"(?:(?:^|[\s,.:]+)(?:that{APOSTROPHE}?s|that\s+is|it{APOSTROPHE}?s|it\s+is|spelled|spelt"
    r"|spelling|and|then|so|as|um|uh)\b)+[\s,:.]*$",
    re.I,
)
"""What may stand between a name and its letters."""
_WHICH_NAME = re.compile(
    rf"[\s,.]*\b(?:and\s+)?(?:my\s+)?(?:the\s+)?(?:(?P<first>first|given)|(?P<last>last|family|sur))"
    rf"\s?name(?:{APOSTROPHE}?s|\s+is)?\b[\s,:]*",
    re.I,
)
_NO_NAME = frozenset(
    "i you he she it we they me my your the this that these those what which who whom why how when "
    "where is are was were be been am do does did don't doesn't didn't can can't could would "
    "wouldn't should won't shall have has had haven't not no yes yeah nope okay ok sure and or "
    "but if because to from with at on of about just a an there here now then please sorry thanks "
    "hello hi want need know tell say said give get got go going come calling phone email mail "
    "address number later never nothing something anything someone it's its i'm that's what's "
    "i'd i've i'll let's really very too also looking trying asking wondering for in by as so "
    "hang hold wait moment second minute double triple letter first last name spelled "
    "perfect exactly correct".split()
)
_NOT_CAPITAL_NAMES = frozenset((*WEEKDAYS, *MONTHS, "I"))
_CAPITALIZED = frozenset(map(str.capitalize, _NOT_CAPITAL_NAMES)) | frozenset(
    "Good Hello Hi Hey Dear Morning Afternoon Evening Thank Thanks Kind Many Best Regards".split()
)
"""Words in capitals that are of no name which stands alone."""
_PARTICLES = frozenset("de da di del della van von der den la le el al bin ibn zu y".split())
_ALIKE: dict[str, tuple[str, ...]] = {
    **{"y": ("ie", "i"), "i": ("y",), "k": ("ck", "c", "q"), "c": ("k", "s"), "z": ("s",)},
    **{"s": ("z", "c"), "g": ("j",), "j": ("g", "y"), "f": ("ph", "v"), "ph": ("f", "v")},
    **{"v": ("ph", "f", "w"), "w": ("v",), "q": ("k",)},
}
"""What a letter stands for in other spellings of a name."""
_WITH = re.compile(
    rf"\W*(?:(?:with|has|has\s+got|there{APOSTROPHE}?s)\s+)?"
    r"(?P<count>(?<=\s)an?|one|two|double|just\s+one|only\s+one|a\s+single|a\s+double)\s+"
    rf"(?P<letter>ph|[a-z])(?:{APOSTROPHE}?s)?"
    r"(?P<at_end>\s+at\s+the\s+end)?\W*$",
    re.I,
)
_WITHOUT = re.compile(
    r"\W*(?:without|no|with\s+no)\s+(?:an?\s+|the\s+)?(?P<letter>[a-z])\W*$", re.I
)


@dataclass(frozen=True)
class SpelledNameKind(Kind[str]):
    """The name of a person, with its capitals, apostrophes and hyphens."""

    name: str = "name"
    type: ClassVar[type] = str

    def readings(self, text: str, now: datetime) -> list[Found]:
        found: list[Found] = []
        for intro in _FIND.finditer(text):
            start = intro.end()
            end = self._end_of_name(text, start, sure=bool(intro["sure"]))
            if end > start and (one := self._read(text, start, end)):
                found.append(one)
        return [*found, *self._introduced_after(text, found)]

    def _introduced_after(self, text: str, known: Sequence[Found]) -> Iterator[Found]:
        """ "Anne Lee speaking", and a first and a last name alone between commas."""
        for one in _INTRODUCED_AFTER.finditer(text):
            start, end = one.span("name")
            alone = re.search(r"(?:^|[,.;:!?])\s*$", text[:start]) is not None
            words = one["name"].split()
            no_name = any(word.capitalize() in _CAPITALIZED for word in words)
            if alone and not no_name and (found := self._read(text, start, end)) is not None:
                if not any(found.overlaps(other) for other in known):
                    yield found

    def answer(self, text: str, now: datetime) -> Found | None:
        if (parts := self._first_and_last(text)) is not None:
            return parts
        start = _LEAD.match(text).end()  # type: ignore[union-attr]
        end = _TAIL.search(text, start).start()  # type: ignore[union-attr]
        return self._read(text, start, end) or self.decide(self.find(text, now), now)

    def go_on(self, value: str, text: str, now: datetime) -> str | None:
        """With what is spelled of it, or the rest of the name."""
        if (spelled := self._spelled_again(value, text)) is not None:
            return spelled
        more = self.answer(text, now)
        if more is None or len(value.split()) + len(more.value.split()) > MAX_WORDS:
            return None
        return f"{value} {more.value}"

    def correct(self, value: str, text: str, now: datetime) -> str | None:
        rest = without_lead(text)
        changed = _with_letter(value, rest)
        if changed is None:
            changed = self._spelled_again(value, rest)
        if changed is None:
            changed = correct_character(value, rest)
        if changed is None and rest != text and not _WITH.match(rest):
            found = self.answer(rest, now)
            if found is not None and not found.question:
                changed = self._in_part(value, found.value, rest)
        return None if changed == value else changed

    def _in_part(self, value: str, said: str, text: str) -> str:
        """*value* with the one word that *said* corrects: the first, the last, or the like one."""
        words = value.split()
        which = _WHICH_NAME.search(text)
        if len(words) < 2 or " " in said:
            return said
        if which is not None:
            return " ".join([*words[:-1], said] if which["last"] else [said, *words[1:]])
        likeness = [(_likeness(word, said.lower()), at) for at, word in enumerate(words)]
        best, at = max(likeness)
        if best < CORRECTED_MIN_SIMILARITY:
            return said
        return " ".join([*words[:at], said, *words[at + 1 :]])

    def say(self, value: str, now: datetime) -> str:
        return f"{value}, spelled {', then '.join(map(spell, value.split()))}"

    def to_json(self, value: str) -> str:
        return value

    def from_json(self, written: JsonValue) -> str:
        if not isinstance(written, str) or len(written) > MAX_CHARS:
            raise ValueError("not a name")
        if not re.fullmatch(rf"{_NAME_WORD}(?: {_NAME_WORD})*", written):
            raise ValueError("not a name")
        return written

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "maxLength": MAX_CHARS,
            "description": "The name of a person, with its capitals, apostrophes and hyphens.",
        }

    # -- reading

    def _end_of_name(self, text: str, start: int, *, sure: bool) -> int:
        """Where the name that begins there ends, with what is spelled of it."""
        end = start
        for count, word in enumerate(re.finditer(rf"({_NAME_WORD})(\W*)", text[start:])):
            if count == MAX_WORDS or text[start + word.end(1) :][:1] == "@":
                break
            plain = word[1].lower().replace("\u2019", "'").rstrip(".")
            capital = word[1][0].isupper() and word[1].capitalize() not in map(
                str.capitalize, _NOT_CAPITAL_NAMES
            )
            fits = plain not in _NO_NAME and (sure or capital or (count and plain in _PARTICLES))
            if not fits:
                break
            end = start + word.end(1)
            if re.search(r"[^\s.]|\.\s", word[2]):
                break
        return self._with_spelling(text, start, end)

    def _with_spelling(self, text: str, start: int, end: int) -> int:
        """Where what is spelled after the name ends."""
        rest = text[start:]
        for run in sorted([*spelled_runs(rest), *upper_words(rest)], key=lambda one: one.start):
            gap = text[end : start + run.start]
            if start + run.end > end and not re.search(r"\w", _SPELLED_AS.sub("", gap)):
                end = start + run.end
        return end

    def _first_and_last(self, text: str) -> Found | None:
        """ "first name Anne, last name Lee"."""
        markers = list(_WHICH_NAME.finditer(text))
        if not markers:
            return None
        start = _LEAD.match(text[: markers[0].start()]).end()  # type: ignore[union-attr]
        ends = [*(one.start() for one in markers[1:]), _TAIL.search(text).start()]  # type: ignore[union-attr]
        names = {
            bool(one["last"]): self._read(text, one.end(), end)
            for one, end in zip(markers, ends, strict=True)
        }
        if len(names) == 1:
            names[not markers[0]["last"]] = self._read(text, start, markers[0].start())
        said = [name for is_last in (False, True) if (name := names.get(is_last))]
        if not said:
            return None
        question = next((name.question for name in said if name.question), "")
        begins = min(start, markers[0].start())
        return Found(begins, ends[-1], " ".join(name.value for name in said), question)

    def _read(self, text: str, start: int, end: int) -> Found | None:
        """The name that this part of *text* is; None: it is none."""
        said = text[start:end]
        if (letter := re.search(r"\s+with\b", said)) and _WITH.match(said, letter.start()):
            plain = self._read(text, start, start + letter.start())
            changed = plain and _with_letter(plain.value, said[letter.start() :])
            return Found(start, end, changed) if changed else None
        words: list[str] = []
        unsure: list[str] = []
        at = 0
        runs = _runs(said)
        for run in runs:
            before = _words(_SPELLED_AS.sub("", said[at : run.start]))
            if before is None:
                return None
            words += before
            if not _put(words, run.text) and len(words) == 1 and len(runs) == 1:
                unsure = [run.text]
            elif unsure or not words or words[-1] != run.text:
                _put_last(words, run.text)
            at = run.end
        after = _words(said[at:])
        if after is None or not 0 < len(words + after) <= MAX_WORDS:
            return None
        name = _name(words + unsure + after)
        if len(name) > MAX_CHARS:
            return None
        other = _name(unsure + after)
        return Found(start, end, name, f"Do you mean {name}, or {other}?" if unsure else "")

    def _spelled_again(self, value: str, text: str) -> str | None:
        """*value* with the word that *text* spells, and nothing but that."""
        runs = _runs(text)
        words = value.split()
        at = 0
        for run in runs:
            said = _words(_SPELLED_AS.sub("", without_lead(text[at : run.start])))
            if said is None or any(ratio(one.lower(), run.text) < 0.3 for one in said):
                return None
            if not _put(words, run.text):
                if len(words) > 1:
                    return None
                words = [run.text]
            at = run.end
        rest = _words(_TAIL.sub("", text[at:]))
        return _name(words) if runs and rest == [] else None


def _runs(said: str) -> list[Spelled]:
    """What is spelled in *said*; a word in capitals only after the same word."""
    runs = [
        run
        for run in spelled_runs(said)
        if len(run.text) > 1 and not re.search(r"\b(?:with|is|has|not)\s*$", said[: run.start])
    ]
    if not said.isupper():
        for one in upper_words(said):
            before = _words(_SPELLED_AS.sub("", said[: one.start])) or []
            apart = all(one.end <= run.start or one.start >= run.end for run in runs)
            if apart and before and _likeness(before[-1], one.text) >= SPELLED_MIN_SIMILARITY:
                runs.append(one)
    return sorted(runs, key=lambda run: run.start)


def _words(said: str) -> list[str] | None:
    """The words of a name; None: *said* has what belongs in none."""
    parts = [part.split() for part in re.split(r"[,:;]|\.(?=\s|$)", said) if part.strip()]
    # "Bond, James Bond".
    if len(parts) > 1 and all(word in parts[-1] for part in parts[:-1] for word in part):
        parts = parts[-1:]
    words = [word.replace("\u2019", "'") for part in parts for word in part]
    fit = all(word.lower() not in _NO_NAME and _ONE_WORD.fullmatch(word) for word in words)
    return words if fit else None


_ONE_WORD = re.compile(_NAME_WORD)


def _likeness(word: str, spelled: str) -> float:
    return ratio(word.lower(), spelled.lower())


def _put(words: list[str], spelled: str) -> bool:
    """Put what was spelled in the place of the one of *words* that is like it, if one is."""
    likeness = [(_likeness(word, spelled), at) for at, word in enumerate(words)]
    best, at = max(likeness, default=(0.0, 0))
    if best < SPELLED_MIN_SIMILARITY:
        return False
    is_same = best == 1.0 and words[at] != words[at].lower()
    words[at] = words[at] if is_same else spelled
    return True


def _put_last(words: list[str], spelled: str) -> None:
    if not any(_likeness(word, spelled) == 1.0 for word in words):
        words.append(spelled)


def _name(words: Sequence[str]) -> str:
    return " ".join(_cased(words))


def _cased(words: Sequence[str]) -> list[str]:
    """With capitals, where they were not written."""
    return [
        word if any(map(str.isupper, word)) else word if _is_particle(words, at) else _capital(word)
        for at, word in enumerate(words)
    ]


def _is_particle(words: Sequence[str], at: int) -> bool:
    return words[at] in _PARTICLES and 0 < at < len(words) - 1


def _capital(word: str) -> str:
    """ "o'neill" as "O'Neill", "anne-marie" as "Anne-Marie"."""
    parts = re.split(r"([-'])", word)
    return "".join(
        part if at and parts[at - 1] == "'" and len(part) == 1 else part[:1].upper() + part[1:]
        for at, part in enumerate(parts)
    )


def _with_letter(value: str, text: str) -> str | None:
    """*value* "with a Y", "with two Ls", "with an E at the end", "without an E"."""
    low = value.lower()
    if without := _WITHOUT.match(text):
        letter = without["letter"].lower()
        return _replaced(value, letter, "") if low.count(letter) == 1 else None
    match = _WITH.match(text)
    if match is None:
        return None
    letter, count = match["letter"].lower(), match["count"].lower().split()[-1]
    if count in ("two", "double"):
        if letter * 2 in low:
            return value
        return _replaced(value, letter, letter * 2) if low.count(letter) == 1 else None
    if count in ("one", "single"):
        return _replaced(value, letter * 2, letter) if low.count(letter * 2) == 1 else value
    if match["at_end"] or letter == "e":
        return value if low.endswith(letter) else value + letter
    if letter in low:
        return value
    others = [one for one in _ALIKE.get(letter, ()) if low.count(one) == 1]
    return _replaced(value, others[0], letter) if others else None


def _replaced(value: str, old: str, new: str) -> str:
    at = value.lower().index(old)
    return value[:at] + (new.capitalize() if value[at].isupper() else new) + value[at + len(old) :]


SpelledName = Annotated[str, SpelledNameKind()]
"""The name of a person, with its capitals, apostrophes and hyphens."""
