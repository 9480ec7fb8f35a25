"""Whether words are a wish at all, by fixed rules: doubts, reports and refusals are none."""

import re
from collections.abc import Iterator

from agent_worker.reasoning.normalize import normalize

_NO_WISH = {
    "it is a condition": (
        r"\b(?<!wondering )(?<!see )(?<!know )"
        r"(?<!ok )(?<!okay )(?<!right )(?<!fine )(?<!mind )(?<!awfully )(?<!terribly )"
        r"(?<!asking )(?<!happier )(?<!happy )(?<!glad )(?<!grateful )(?<!better )(?<!nice )"
        r"(?<!great )(?<!appreciate it )if\b"
        r"(?! (?:you (?:can|could|don't|would|please|like|have)|possible|i (?:may|can|could)|"
        r"(?:that|it)(?:'s| is| works| suits)|there's|there is|available|free))|"
        r"\bwhat (?:happens|would happen|will happen)\b|\bin case\b"
    ),
    "it is a doubt": (
        # "Maybe on Friday" doubts the day alone.
        r"\b(?:maybe|perhaps)\b(?! (?:(?:on|at|around|about|for|like|the|this) )*\{)|"
        r"\b(?:might(?! (?:i|we|you|there|anyone|anybody|somebody|someone)\b)|not sure|"
        r"(?:thinking|thought) (?:of|about))\b"
    ),
    "it is taken back": (
        r"(?<=\w) (?:(?:please|rather|better|let's|just) )*(?:don't|do not|better not|rather not|"
        r"leave it|leave that|never mind|forget it|scratch that)(?: (?:please|then|after all))*$"
    ),
    "it asks what was done, or what is possible": (
        r"^(?:and |so |but |well |okay |ok |hi |hello )*(?:why|did (?:you|i|we|it)|was|were|has|"
        r"have (?:i|we)|should (?:i|we)|do (?:i|we)|am i|"
        r"is it (?:possible(?! (?:that (?:i|we|you)|for (?:me|you|us) to))|true|too late))\b|"
        r"\bcan i still\b|\bstill possible\b"
    ),
}
_POLITE_DOUBT = re.compile(
    r"\b((?:can|could|would|will)(?: [\w{}']+){1,5}) (?:maybe|perhaps|possibly)\b"
)
"""Who asks somebody to do something doubts nothing: "could one of you maybe call me"."""
_REPORT = re.compile(
    r"\b(?:heard|(?:never|didn't|not) sa(?:id|y)|who said|you said|wants? me to|wants to|"
    r"told me(?! to (?:call|ring|phone|contact|speak|talk|ask|come|get in touch|try)))\b"
)
_SEVERAL = re.compile(
    r"\b(?:all|both)(?: of)? (?:my|the|these|those|your|our|of)\b|\b(?:every|each) \w+|"
    r"\beverything\b|\ball(?: of (?:them|those|these))? (?:but|except)\b"
)
_PEOPLE = (
    r"(?:neighbou?r|friend|brother|sister|someone|somebody|everyone|everybody|client|"
    r"colleague|co-?worker|(?<=my )mate|room-?mate|flat-?mate|house-?mate|landlord|tenant|"
    r"(?:boy|girl)friend|ex(?:-| )?(?:boyfriend|girlfriend|wife|husband|partner)?|"
    r"(?:other|another) (?:person|client|caller))"
)
_STRANGER = r"(?:chap|bloke|guy|man|woman|lady|girl|boy|lad|fellow|person|gentleman|couple)"
_NOT_THEIRS = re.compile(
    rf"\b(?:for|of) (?:my|a|an|the|some) {_PEOPLE}\b|"
    rf"\b{_PEOPLE}s?'s?(?: else'?s?)? "
    r"(?!(?:just |already )?\w+ed (?:the|it|my|me|that|this|them)\b)|"
    rf"\b(?:else|other people)'s |"
    rf"\b(?:every|all|all (?:of )?(?:your|the|these)|other|another|your) (?:client|caller|"
    rf"user|people|person)s?\b|\b(?:every|each|another|other) \w+(?:'s|s') |"
    rf"\b(?:client|user|account|member|mr|mrs|ms|miss|mister) \w+'s? |"
    r"\b(?:of|for) (?:mr|mrs|ms|miss|mister) \w|"
    r"\b(?:client|caller)s? (?:who|that|before|ahead)\b|"
    r"\b(?:before|ahead of) me\b|\b(?:person|man|woman|lady|guy) next to me\b|"
    r"\b(?:numbers?|address(?:es)?|e-?mails?|names?|details) of "
    rf"(?:the|that|this|a) {_STRANGER}\b|"
    r"\b(?:numbers?|address(?:es)?|e-?mails?|names?|data|details|accounts?|passwords?) of "
    r"(?:all|every|each|other|another|some|any)\b"
)
_WHAT_THEY_DID = re.compile(
    rf"\b{_PEOPLE}\b.*\b(?:he|she|they)(?:'s|'ve|'d| has| have| had| is| are)? "
    r"(?:paid|pays?|bought|buys?|owes?|booked|got|ordered|earns?|lives?|spent|said|wants|ordering|"
    r"getting|paying)\b"
)
_WHAT_SHE_BOUGHT = re.compile(
    r"\b(?:what|which|when|whether|how (?:much|many)|if)(?: \w+)? (?:my|the|a|an|your|his|"
    r"her) (?:\w+ )?"
    rf"(?:{_PEOPLE}|wife|husband|partner|son|daughter|mother|mum|mom|father|dad|cousin|uncle|aunt) "
    r"(?:has |have |had |'s )?(?:just )?(?:ordered|bought|paid|spent|owes|got)\b"
)
_ALL_OF_THEIRS = re.compile(
    rf"\b{_PEOPLE}(?:'s|s)?\b.*\b(?:(?:all|any|each|most|some|1) (?:of )?)?"
    r"(?:(?:hers|theirs|his)(?! \w)|(?:in|of|with|about|cancel|see|tell) (?:his|her|their) \w)"
)
_THEIRS = (_NOT_THEIRS, _WHAT_THEY_DID, _WHAT_SHE_BOUGHT, _ALL_OF_THEIRS)
_TO_THE_MACHINE = re.compile(
    r"\b(?:ignore|forget|disregard|override|bypass|break|drop)(?: all| any| your| the| previous|"
    r" of| these| those)* (?:rules?|instructions?|guidelines?|prompts?|programming|limits?|"
    r"restrictions?|policies|policy)\b|\byou are now\b|"
    r"(?<!to )\bpretend (?:to be|you|that|i|we|this|it)\b|"
    r"\b(?:call|run|execute|invoke|use) (?:the|a|your) (?:function|tool|command|method|api)\b|"
    r"\bsystem prompt\b|\b(?:developer|admin|debug) mode\b"
)
_AS_CODE = re.compile(
    r"^\W*(?:system|assistant|developer)\s*:|(?<![\w@.+-])[a-z]+_[a-z_]+(?![\w@.+-])", re.IGNORECASE
)
"""What nobody says, but who types what a machine reads."""
_NEGATED = re.compile(
    r"\b(?:don't|do not|never|didn't|did not|not|won't|can't|cannot|can not|doesn't|does not|"
    r"wouldn't|shouldn't|haven't|hasn't|no longer|isn't|aren't)"
    r"(?: (?:really|want|wanna|like|wish|have|to|you|dare|ever|even|just|please|go|be|get|got|me|"
    r"my|a|an|any|the|that|this|any more|anymore)(?!\S))*+ ([a-z']+)"
)
_NO_DEED = frozenset(
    "on in at to by of off up out with for from so too very much many mind know think suppose care "
    "understand hear see remember recall believe realize realise happen seem feel manage quite "
    "happy sure able good right enough well there here away home together round around back".split()
)
"""What says no to nothing that could be done: "I don't get on with it", "I don't mind"."""
_DO_IT = re.compile(r" (?:it|that|this|so|them|anything|1)\b|$")
_DONE = re.compile(r"\b(?:was|were|got|been) (?:(?:already|just|\w+ly) )?([a-z]+ed)\b")
_ENDINGS = ("ing", "ed", "es", "s")


def no_wish(text: str) -> str | None:
    """Why *text* is no wish, though it may name what could be done; None: it may be one."""
    said = _POLITE_DOUBT.sub(r"\1", " ".join(normalize(text).replace(",", " ").split()))
    return next((why for why, form in _RULES if form.search(said)), None)


def is_report(clause: str) -> str | None:
    """Why *clause* is no wish, as it tells what somebody said or wants; None: it does not."""
    return "it tells what somebody said" if _REPORT.search(normalize(clause)) else None


def means_several(text: str) -> bool:
    """Whether *text* means more than one thing at once: "all my rooms"."""
    return _SEVERAL.search(normalize(text)) is not None


def is_out_of_bounds(text: str) -> str | None:
    """Why *text* is no caller's own wish: other people's things, or a command to the model."""
    said = f"{normalize(text)} "
    if _TO_THE_MACHINE.search(said) or _AS_CODE.search(text):
        return "it is a command to the machine"
    theirs = any(one.search(said) for one in _THEIRS)
    return "it is about other people's things" if theirs else None


def negated(text: str) -> Iterator[str]:
    """The stem of each word that *text* says no to: "cancel" of "don't you cancel it"."""
    for clause in re.split(r"[,;:.!?]+(?=\s|$)", text):
        said = normalize(clause)
        for found in _NEGATED.finditer(said):
            # "I don't do robots" says no to nothing that could be done, "don't do it" does.
            is_taste = found[1] == "do" and not _DO_IT.match(said, found.end())
            if found[1] not in _NO_DEED and not is_taste:
                yield stem(found[1])


def done(text: str) -> Iterator[str]:
    """The stem of each word for what was done to something: "cancelled" of "it was cancelled"."""
    for found in _DONE.finditer(normalize(text)):
        yield stem(found[1])


def stem(word: str) -> str:
    """*word* without its ending, roughly: "cancelled" is "cancel", "stopping" is "stop"."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    word = word.rstrip("e")
    return word[:-1] if re.search(r"([^aeiou])\1$", word) else word


_RULES = [(why, re.compile(form)) for why, form in _NO_WISH.items()]
