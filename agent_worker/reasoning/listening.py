"""Words by which a caller shows that they listen, or ask the agent to wait: neither is a wish."""

import re

from agent_worker.reasoning.normalize import normalize

_LISTENS = (
    r"uh huh|uhuh|uhhuh|mm|mmm+|mhm|mm hmm|mmhmm|mm hm|hm+|huh|aha|uh|um|er|erm|ah|oh|ooh|wow"
)
_AGREES = (
    r"yeah|yep|yup|yes|ok|okay|right|all right|alright|sure|fine|good|great|cool|nice|perfect|"
    r"i see|got it|gotcha|understood|i know|true|exactly|of course|no problem|thanks|thank you|"
    r"that's fine|that's right|that's good|makes sense"
)
_HEARS = (
    r"i see|got it|gotcha|i (?:understand|hear you)|understood|fair enough|interesting|"
    r"is that so|(?:that )?makes sense|you don't say|good to know"
)
"""What answers no question."""
_LISTENING = re.compile(
    rf"(?:(?:right|really) )*(?:{_LISTENS}|{_HEARS})(?: (?:{_LISTENS}|{_HEARS}|right|really))*"
)
_AGREEING = re.compile(
    rf"(?:{_LISTENS}|{_AGREES})(?: (?:{_LISTENS}|{_AGREES}|{_HEARS}|really))*(?!\S)"
)
_HUMS = re.compile(rf"\b(?:{_LISTENS}|right)\b")
_THANKS = re.compile(r"\b(?:thanks|thank you|of course|no problem)\b")
_OPEN_QUESTION = re.compile(
    r"(?:(?:and|so|but|okay|all right|now|then|sorry|to|for|on|at|by|in|from)\W+)*"
    r"(?:what|when|where|which|who|whom|whose|why|how)\b",
    re.IGNORECASE,
)

_INTERRUPTS = frozenset(
    "stop wait no nope don't hello hey hi what sorry pardon help cancel enough quiet repeat again "
    "louder slower operator human person agent hang hold goodbye bye yes".split()
)
"""Words that mean something alone, whatever the agent is about to say."""

_SOFTLY = (
    r"(?:(?:no|oh|ooh|ah|um|uh|er|well|okay|ok|yes|yeah|sorry|please|kindly|just|now|right|so|and|"
    r"but|"
    r"i said|(?:can|could|will|would) you(?: (?:just|please))*|you'll have to|if you (?:would|can|"
    r"could)|there|love|dear|sir|madam|mate) )*"
)
_WHILE = (
    r"(?:(?:just |only )?(?:a|one|half a|two|1|2|another|a couple of|a few)(?: little| wee)? )?"
    r"(?:seconds?|2nd|secs?|minutes?|mins?|moments?|mo|ticks?)"
)
# "And on a second" is heard for "hang on a second".
_HOLD = (
    rf"(?:(?:hang|hold) (?:on|about|fire|the line)|and on (?:{_WHILE})|hold up|"
    r"hold your horses|hold(?: it)?|"
    rf"wait(?: up)?|stand by|"
    r"bear with (?:me|us)|stay (?:there|on|on the line|with me)|"
    r"don't (?:hang up|go(?: (?:away|anywhere))?(?: yet)?)|"
    rf"(?:give me|i need|i'll (?:only )?be|(?:i )?won't be)(?: just)? (?:{_WHILE})|{_WHILE}|"
    rf"(?:i'll be |be )?(?:right back|with you (?:right away|in (?:{_WHILE}))))"
    rf"(?: (?:there|for me|(?:for |just )?(?:{_WHILE})))*"
)
_LOOKS = (
    r"(?:find|look|get|check|grab|fetch|see|think|ask|write|go|open|pick|put|pull|turn|dig|search|"
    r"read|reach|pop|run|sit|park|close|shut|switch|take|have a)"
)
_LOOKING = (
    r"(?:finding|looking|getting|checking|grabbing|fetching|seeing|thinking|asking|writing|opening|"
    r"picking|putting|pulling|turning|digging|searching|reading|reaching|popping|running|sitting|"
    r"parking|closing|shutting|switching|taking|having a|crossing|walking|driving|stepping|"
    r"getting (?:on|off|out|in|into)|paying|feeding|carrying|cooking|eating|swallowing|unlocking|"
    rf"locking|going to {_LOOKS}|going (?:up|down|over|through|into|outside|inside))"
)
_I = (
    r"(?:i|i'll|i will|i have to|i've got to|i need to|i must|i'd better|let me|let's)"
    rf"(?: just| quickly| first)? {_LOOKS}|(?:i'm|i am)(?: just| still| only)*(?: about to)? "
    rf"(?:{_LOOKING}|{_LOOKS})|"
    r"i(?:'ve| have)?(?: just)? (?:dropped|can't find|mislaid)"
)
_ERRAND = rf"(?:(?:while|and|till|until|so|because|as) )?(?:{_I})\b.*"
_FETCHES = (
    r"(?:let me|i'll just|i'm just)(?: just| quickly)? (?:find|get|grab|fetch|put|pick|turn|"
    r"finding|"
    r"getting|grabbing|fetching|putting|turning)(?: up| out| down| on| off)? (?:my (?:\w+ )?(?:bag|"
    r"purse|wallet|phone|coat|desk|drawer|card)|(?:a|my|the|some|something) (?:\w+ )?(?:pen|pencil|"
    r"papers?|(?:to )?write (?:with|on)|glasses|specs|spectacles|planner|notes|radio|tv|"
    r"television))"
    r"(?: on| out| down| off)?"
)
"""What a caller does first, also if no word asks to wait."""
_PONDERS = r"(?:let me|i'm|i have to)(?: just)? (?:think|thinking|have a think)"
_MEANWHILE = (
    r"(?:there's|there is) (?:somebody|someone|a knock)(?: (?:at|on) (?:the|my) (?:door|desk|"
    r"window|counter))?|"
    r"(?:somebody|someone)(?:'s| is) (?:at (?:the|my) (?:door|desk|window|counter)|here|calling)|"
    r"(?:the|my) (?:door|doorbell|bell|dog|cat|baby|kettle|phone|other phone|kids?|train)"
    r"(?:'s| is| are| has)?(?: just)? (?:going|gone|goes|went|ringing|rings|rang|calling|here|"
    r"knocking|barking|crying|boiling|whistling|coming|leaving)(?: (?:off|again|now|in))?"
)
"""Why one has to wait: "the doorbell has just gone"."""
_BUSY = (
    r"(?:(?:the|my|our) (?:\w+ )?(?:dog|cat|puppy|kitten|baby|toddler|kids?|children|son|daughter|"
    r"boy|girl|wife|husband|mum|mom|dad|boss|kettle|toast|pan|oven|bus|train|tram|lift|elevator|"
    r"postman|plumber|neighbou?r)|somebody|someone)(?:'s| is| are| has| have)(?: just)? "
    r"(?:got|taken|run off|come|calling|shouting|crying|barking|pulling|jumping|"
    r"coming|here|home|at|leaving|arriving|talking to|ringing|boiling|burning)(?: [a-z']+){0,4}"
)
"""Who or what keeps the caller busy. Only after a word that asks to wait."""
_WAITING = re.compile(
    rf"{_SOFTLY}(?:(?:{_MEANWHILE}) {_SOFTLY})?(?:"
    rf"(?:{_HOLD})(?: {_SOFTLY}(?:{_HOLD}))*"
    rf"(?: {_SOFTLY}(?:{_ERRAND}|{_MEANWHILE}|(?:{_BUSY})(?: {_SOFTLY}(?:{_HOLD}))?))?|"
    rf"{_FETCHES}|{_PONDERS})"
    r"(?: (?:please|will you|would you|thanks|thank you|first|a (?:moment|second|minute)|"
    r"love|dear|mate))*"
)


def is_backchannel(text: str, *, over_agent: bool, may_agree: bool = True) -> bool:
    """
    Whether *text* only says that the caller listens.

    Args:
        over_agent: said while the agent speaks: then "okay" and "right" are no answer either.
        may_agree: said where a yes would answer something. Where not, neither do "hmm, okay" and
            "right, right"; "okay" alone goes on with the call.
    """
    said = _plain(text)
    if over_agent or _LISTENING.fullmatch(said):
        return (_AGREEING if over_agent else _LISTENING).fullmatch(said) is not None
    if may_agree or " " not in said or _THANKS.search(said):
        return False
    is_one_word = len(set(said.split())) == 1
    return _AGREEING.fullmatch(said) is not None and bool(is_one_word or _HUMS.search(said))


def asks_yes_or_no(said: str) -> bool:
    """Whether the agent's words *said* ask something that a yes answers: not "Which day?"."""
    sentences = re.split(r"(?<=[.!?])\s+", said.strip())
    return any(one.endswith("?") and not _OPEN_QUESTION.match(one) for one in sentences)


def is_noise(text: str, *, words_max: int = 1) -> bool:
    """
    Whether *text*, said over the agent and fitting no template, is too little to stop it: no more
    than *words_max* words, a recognizer's guess at "uh-huh" or at a cough; or as many after "I see"
    and the like, which are of another voice in the room.
    """
    if _INTERRUPTS.intersection(_plain(text).split()):
        return False
    return len(beside_listening(text).split()) <= words_max


def beside_listening(text: str) -> str:
    """What *text* says beside words by which the caller shows that they listen."""
    said = _plain(text)
    listens = _AGREEING.match(said)
    return said[listens.end() if listens else 0 :].strip()


def asks_to_wait(text: str) -> bool:
    """Whether *text* asks the agent to wait, and nothing else: "hang on, let me find it"."""
    return _WAITING.fullmatch(_plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(normalize(text).replace(",", " ").replace("-", " ").split())
