# mypy: ignore-errors
import re
from datetime import date, timedelta
from agent_worker.values.value import Found

U = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
T = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
NW = "(?:" + "|".join(sorted([*U, *T, "oh", "hundred"], key=len, reverse=True)) + ")"
NUM = re.compile(rf"#?\b(?:\d+|{NW}(?:[ -]{NW})*)\b", re.I)


def num(text):
    t = text.lower().lstrip("#")
    if t.isdigit():
        return int(t)
    ws = re.split("[ -]", t)
    vals = [U.index(w) if w in U else T.get(w, 0 if w == "oh" else None) for w in ws]
    if None in vals:
        return None
    if len(vals) == 1:
        return vals[0]
    if len(vals) == 2 and vals[0] >= 20 and vals[1] < 10:
        return sum(vals)
    return int("".join(map(str, vals)))


class Base:
    def __init__(self, **kw):
        self.kw = kw

    def answer(self, text, now):
        f = self.find(text, now)
        return (
            f[0]
            if f
            and not re.sub(r"\W", "", (text[: f[0].start] + text[f[0].end :])).replace("number", "")
            else None
        )

    def go_on(self, value, text, now):
        return None

    def correct(self, value, text, now):
        return None

    def may_go_on(self, value):
        return False

    def say(self, value, now):
        return str(value)

    def to_json(self, v):
        return v

    def from_json(self, v):
        return v


class Number(Base):
    name = "number"

    def find(self, text, now):
        out = []
        for m in NUM.finditer(text):
            v = num(m[0])
            if v is not None and self.kw["from"] <= v <= self.kw["to"]:
                out.append(Found(m.start(), m.end(), v))
        for w in self.kw.get("after", ()):
            if m := re.search(rf"\b{w} (for|to)\W*$", text, re.I):
                out.append(Found(m.start(1), m.end(1), {"for": 4, "to": 2}[m[1].lower()]))
        return out


class Money(Base):
    name = "money"

    def find(self, text, now):
        out = []
        for m in re.finditer(rf"({NUM.pattern}) (?:dollars?|bucks)", text, re.I):
            out.append(Found(m.start(), m.end(), num(m[1])))
        for m in re.finditer(r"\b(\w+) (fifty|twenty|thirty)\b", text, re.I):
            if m[1].lower() in U:
                out.append(Found(m.start(), m.end(), U.index(m[1].lower()) + T[m[2].lower()] / 100))
        return out


W = "monday tuesday wednesday thursday friday saturday sunday".split()


class Day(Base):
    name = "day"

    def find(self, text, now):
        out = []
        for m in re.finditer(
            rf"\b(?:(?:next|this) )?({'|'.join(W)})s?(?: (morning|afternoon|evening))?\b",
            text,
            re.I,
        ):
            d = now.date()
            i = W.index(m[1].lower())
            out.append(Found(m.start(), m.end(), d + timedelta(days=(i - d.weekday() - 1) % 7 + 1)))
        for m in re.finditer(r"\b(today|tomorrow|tonight)\b", text, re.I):
            out.append(
                Found(m.start(), m.end(), now.date() + timedelta(days=m[1].lower() == "tomorrow"))
            )
        return out

    def say(self, v, now):
        return f"{v:%A, %B} {v.day}"

    def to_json(self, v):
        return v.isoformat()

    def from_json(self, v):
        return date.fromisoformat(v)


class TimeOfDay(Base):
    name = "time_of_day"

    def find(self, text, now):
        out = []

        def add(m, h, mi, ap):
            ap = (ap or "").lower()
            if h is None or h > 24:
                return
            q = ""
            if "p" in ap or "aft" in ap or "eve" in ap:
                h = h + 12 if h < 12 else h
            elif not ap and h < 8:
                h += 12
            if "eve" in text.lower() and h < 12:
                q = f"{h} in the morning or at night?"
            out.append(Found(m.start(), m.end(), f"{h:02}:{mi:02}", q))

        for m in re.finditer(rf"\b(half|quarter) (past |to )?({NUM.pattern})", text, re.I):
            h = num(m[3])
            mi = 30 if m[1].lower() == "half" else 15
            if h and h <= 12:
                if m[2] and m[2].strip() == "to":
                    h -= 1
                    mi = 45
                add(m, h, mi, "")
        for m in re.finditer(rf"\b(\d+):(\d\d)( ?[ap]\.?m\.?)?", text, re.I):
            add(m, int(m[1]), int(m[2]), m[3])
        for m in re.finditer(rf"\b(\w+) (thirty|fifteen)\b", text, re.I):
            if m[1].lower() in U[1:13]:
                add(m, U.index(m[1].lower()), num(m[2]), "")
        for m in re.finditer(
            rf"\b(\d+|{NW})( ?[ap]\.?m\b\.?| in the (?:morning|afternoon|evening)| o'clock)?",
            text,
            re.I,
        ):
            h = num(m[1])
            if h and 0 < h <= 12:
                add(m, h, 0, (m[2] or "").replace("clock", ""))
        for m in re.finditer(r"\b(noon|midday)\b", text, re.I):
            out.append(Found(m.start(), m.end(), "12:00"))
        return out


class OneOf(Base):
    name = "one_of"

    def find(self, text, now):
        return [
            Found(m.start(), m.end(), v)
            for v, ws in self.kw["values"].items()
            for m in re.finditer(rf"\b(?:{'|'.join(ws)})\b", text, re.I)
        ]


KINDS = {k.name: k for k in (Number, Money, Day, TimeOfDay, OneOf)}
