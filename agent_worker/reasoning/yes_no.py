"""Reads a yes or a no, spoken or typed, by fixed rules: no model decides what was approved."""

import re
from enum import Enum

from agent_worker.reasoning.correction import meant_instead
from agent_worker.reasoning.normalize import normalize


class Said(Enum):
    """What the caller's words are to an open question."""

    YES = "yes"
    NO = "no"
    YES_AND_MORE = "yes and more"
    """It begins as a yes and adds something, so it is none."""
    NO_AND_MORE = "no and more"
    """A no, and a new wish: "no, nine"."""


ANSWERS = (Said.YES, Said.NO)
"""What answers a question and says nothing else."""


_OKAY = r"ok|okay|okey dokey|all right|alright|righto|right you are|very well"
_GOOD = (
    r"(?:(?:just|absolutely|quite|very|really|exactly) )?(?:fine|good|great|lovely|wonderful|"
    r"perfect|"
    r"excellent|brilliant|super|splendid|grand|marvell?ous|fantastic|ideal|smashing|nice|right|correct|"
    r"ok|okay|all right|alright)"
)
_YES = (
    r"yes|yeah|yep|yup|aye|sure thing|sure|absolutely|definitely|certainly|of course|correct|"
    r"indeed|confirm|confirmed|i (?:can |do )?confirm|i agree|agreed|affirmative|"
    r"(?:go|carry) (?:right )?(?:ahead|on)(?: then)?(?: and do (?:it|that|so))?|proceed|go for it|"
    r"(?:please )?do (?:it|that|so)|please do|i do|i would(?! (?:like|love|rather|prefer|want|"
    r"need))|let's (?:do|go for) (?:it|that)|"
    r"(?:that's|that is|it's) (?:the (?:right )?1|the idea|what i (?:want|said|meant))|you bet|"
    r"spot on|too right|by all means|"
    r"be my guest|(?:i'm|i am) (?:(?:quite|very|absolutely|pretty|completely) )?"
    rf"(?:sure|certain|positive|happy with (?:it|that))|sounds {_GOOD}|"
    rf"(?:that|it)(?:'s|'ll be|'d be| is| will be| would be| sounds| seems) {_GOOD}|"
    r"(?:that|it) (?:works|suits me|(?:will|would) do)|that's it|that'll do(?: nicely)?|"
    r"(?:works for|suits) me|(?:fine|good|okay|ok|all right) (?:by|with) me|exactly|"
    r"please(?= (?:thanks|thank you)|$)|"
    r"i(?:'ve| have) (?:made up my mind|decided)|my mind is made up|"
    r"i'd (?:like|love|appreciate) (?:it|that)|fine|good|great|lovely|wonderful|perfect|excellent|"
    rf"brilliant|super|splendid|grand|marvell?ous|fantastic|{_OKAY}"
)
_NO = (
    r"no need|no|nope|nah|(?:don't|do not)(?: bother)?|no way|no chance|not (?:that 1|this 1|that|"
    r"this|it|now|yet|today|"
    r"really|at all|just yet|after all|anymore|any more)|"
    r"(?:absolutely|definitely|certainly|of course|sure|please|i (?:guess|think|hope)) not|"
    r"never mind|nevermind|(?:forget|leave|drop|skip|scratch|scrap) (?:about )?(?:it|that|"
    r"i (?:asked|"
    r"said anything))(?: (?:be|out|alone|there|as (?:it|that) is))?|"
    r"(?:let me|i'll|i'd (?:like|better|rather)(?: to)?|i (?:have|need|"
    r"want) to)(?: just)? (?:sleep on it|"
    r"think (?:it over|(?:it|this) through|about (?:it|that|this))|get back to you)(?: first|"
    r" again)?|(?:let's|let us) (?:not|(?:leave|forget|drop) (?:it|that))|"
    r"rather not|better not|i'd (?:rather|prefer) (?:not|you (?:didn't|don't))|"
    r"(?:(?:i'll|i will|i'd rather|i'd sooner|let's|i'd better|i want to|i'd like to) )?"
    r"(?:keep|hold on to|hang on to) (?:it|that|that 1|this 1|them)|"
    r"(?:i don't|i do not) think so|negative|i don't(?: want (?:it|that|to))?|i do not|"
    r"(?:that's|that is|it's) (?:the wrong 1|wrong)|(?:(?:that's|that is|it's) not|(?:that|"
    r"it) isn't) "
    r"(?:right|it|(?:the (?:right )?1|what)(?: i (?:meant|said|want(?:ed)?))?)|that (?:won't|"
    r"will not) be (?:necessary|needed)|"
    r"(?:i|i've|i have) (?:just )?(?:changed my mind|made a mistake|"
    r"thought better of it)|i take (?:it|that) back|stop"
)
_AROUND = (
    r"please|kindly|thank you (?:very|so) much|thanks (?:a lot|very much|so much)|thanks|thank you|"
    r"well|uh huh|mm hmm|mhm|um|uh|er|oh|ooh|ah|just|"
    r"hm|hmm|mm|quite|why|then|right|right then|now|love|dear|darling|mate|sir|madam|ma'am|"
    r"my friend|god|gosh|heavens|"
    r"goodness|shoot|crap|damn|dang|darn|whoops|oops|argh|ugh|hell|jeez|blimey|man|dude|bro|buddy|"
    r"guys"
)
_BEFORE_NO = (
    rf"{_AROUND}|{_OKAY}|actually|sorry|wait|hang on|hold on"
    r"|do|you know what|(?:on )?(?:second|2nd) thoughts?|i'm (?:good|fine)"
    r"|i (?:think|guess|suppose|reckon|believe)"
)
_POINTING = (
    r"(?:that|this|the|the right) 1|it|that|this|them|the|a|an|my|me|i|for|of|to|on|at|in|with|"
    r"now|so|then|is|be|do|want|you|can|may|could"
)
"""Words that add nothing to a yes. Numbers are digits here: "that one" is "that 1"."""
_IF_YOU_PLEASE = re.compile(
    r",? (?:if (?:you (?:would|could|can|will|please|like|don't mind|wouldn't mind)|"
    r"you'd be (?:so|very) (?:kind|good)|(?:that|it)'s (?:ok|okay|all right|alright|possible|"
    r"no trouble|not too much trouble)(?: with you)?|possible)|"
    r"why not|(?:would|could|will|can) you)(?: please)?$"
)
"""After a yes it is courtesy, and no condition."""
_NOT = re.compile(
    r"\b(?:no|not|never|don't|do not|nor|none|nothing|stop|wait|hang on|hold on|but|or|if|"
    r"except|without|instead|rather|unless|until|leave|forget|[a-z]+n't|cannot)\b"
)
"""With one of these, nothing is a yes."""
_SAID = re.compile(
    rf"\b(?:(?:sorry|actually|{_AROUND}) )*i (?:said|meant|mean) "
    rf"(?=(?:(?:{_BEFORE_NO}) )*(?:{_YES}|{_NO}|wait|hang on|hold on)(?: |$))"
)
_STARTS_YES = re.compile(rf"(?:(?:{_AROUND}) )*(?:{_YES})\b(?!')")
_STARTS_NO = re.compile(rf"(?:(?:{_BEFORE_NO}) )*(?:{_NO})\b(?!')")
_EMPTY_YES = re.compile(rf"\b(?:{_YES}|{_AROUND}|{_POINTING})(?!\S)")
_EMPTY_NO = re.compile(rf"\b(?:{_NO}|not|{_BEFORE_NO}|{_POINTING})(?!\S)")
_HAS_YES = re.compile(
    r"\b(?:yes|yeah|yep|yup|(?:sure|of course)(?! not)|go ahead|"
    r"(?<!don't )(?<!do not )do (?:it|that))\b"
)
_GOES_ON = re.compile(
    r"\b(?:to|for|of|(?<!carry )(?<!spot )(?<!go )on|at|in|with|the|a|an|my|i|(?<!do )so|"
    r"(?<!go on )then)$"
)
_NO_ALONE = re.compile(r"(?:(?:oh|um|uh|well|sorry|hm|hmm) )*(?:no|nope|nah)(?: (?:no|sorry))*")
_THUMB_UP = re.compile("\U0001f44d[\U0001f3fb-\U0001f3ff]?\ufe0f?")
_THUMB_DOWN = re.compile("\U0001f44e[\U0001f3fb-\U0001f3ff]?\ufe0f?")


def read(text: str, about: str = "") -> Said | None:
    """
    What *text* is to a question; None: neither a yes nor a no.

    A yes may repeat the wish: words of the question that *about* holds, such as its title and its
    arguments. Whatever else it says makes it no yes. A no may go on with a reason.
    """
    said = _IF_YOU_PLEASE.sub("", normalize(_THUMB_DOWN.sub(" no ", _THUMB_UP.sub(" yes ", text))))
    if _SAID.search(said):
        # Who is asked anew says so: it takes nothing back.
        return read(_SAID.sub("", said), about)
    asked = normalize(about)
    if _STARTS_NO.match(said):
        if _HAS_YES.search(said):
            return None
        if set(_EMPTY_NO.sub(" ", said).split()) <= set(asked.split()):
            return Said.NO
        return Said.NO_AND_MORE if meant_instead(text) or _declines_first(text) else None
    if _STARTS_YES.match(said):
        doubts = text.rstrip().endswith("?") or _NOT.search(said) or _GOES_ON.search(said)
        return Said.YES if not doubts and _repeats(said, asked) else Said.YES_AND_MORE
    # "I said cancel it" is the question's own wish once more: no yes, and no other wish.
    meant = _EMPTY_YES.sub(" ", meant_instead(text) or "").split()
    return None if set(meant) <= set(asked.split()) else Said.NO_AND_MORE


def _declines_first(text: str) -> bool:
    """Whether a no stands alone before the first pause, and a reason after it."""
    parts = re.split(r"[,.;:!]+(?=\s)", text)
    said = [_EMPTY_NO.sub(" ", normalize(part)).split() for part in parts[:-1]]
    return bool(said) and not said[0]


def is_no_alone(text: str) -> bool:
    """Whether *text* is a no and nothing else; what is meant instead may follow: "No, ... nine"."""
    return _NO_ALONE.fullmatch(normalize(text)) is not None


def _repeats(said: str, asked: str) -> bool:
    """Whether the yes *said* repeats what was *asked* and adds nothing."""
    repeated = _EMPTY_YES.sub(" ", said).split()
    known = _EMPTY_YES.sub(" ", asked).split()
    if not set(repeated) <= set(known):
        return False
    if not repeated or len({word for word in known if any(map(str.isdigit, word))}) < 2:
        return True
    # Of several numbers, "pay 2" must not be "pay 5 to number 2": the words as they stand.
    return f" {' '.join(repeated)} " in f" {' '.join(known)} "


def repeats_wish(text: str, about: str) -> bool:
    """
    Whether *text* is the wish of the question *about* once more, without a yes: "pay it" to "Pay
    two euros of it?".
    """
    said = normalize(text)
    says_something = _EMPTY_YES.sub(" ", said).strip()
    doubts = text.rstrip().endswith("?") or _NOT.search(said)
    return bool(says_something) and not doubts and _repeats(said, normalize(about))
