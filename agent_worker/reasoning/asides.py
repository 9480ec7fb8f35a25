"""
What callers say around a wish and that is no part of it: "I'm ever so sorry to be a nuisance, but".

Examples and turns are both compared without it. Nothing is left out here that turns a wish into its
opposite, into a doubt or into a question whether something is possible.
"""

import re

from agent_worker.reasoning.normalize import spelled_out

_VERY = r"(?:(?:so|very|ever so|terribly|awfully|really|dreadfully|truly|rather|most|quite|just) )*"
_PERSON = (
    r"(?:wife|husband|partner|son|daughter|mother|mum|mom|father|dad|brother|sister|boss|friend|"
    r"girlfriend|boyfriend|other half|missus|kids?|grand(?:son|daughter|mother|father|ma|pa))"
)
_CALLING = r"(?:calling|ringing|phoning|getting in touch|on the phone|here|writing|contacting you)"
_HELP = r"(?:help me|help|help me out|assist me|sort me out|be of help|give me a hand)"
_WHETHER = r"(?:if|whether|that)"

_WHOLE = (
    rf"(?:oh |well |yes |no |and |but )*(?:i'm |i am )?{_VERY}(?:sorry|afraid)(?: about (?:that|"
    rf"this|it))?"
    rf"(?: to (?:bother|trouble|say|hassle|be a (?:nuisance|pain|bother)|call so late|keep on)"
    r"(?: you)?(?: again)?)?(?: but)?",
    r"(?:many )?(?:please|thanks|thank you|cheers|ta|much obliged)(?: (?:very|so|ever so) much|"
    r" a lot| a million| a bunch| heaps| loads| tons| in advance| kindly| again)?",
    r"(?:no |without )?(?:disrespect|offen[cs]e|rush|hurry|pressure|worries|bother|trouble)"
    r"(?: (?:but|though|at all|meant|intended))*",
    r"(?:to be|being) (?:\w+ )?(?:honest|frank|fair|clear|precise)(?: with you)?",
    r"if (?:you (?:would|could|can|please|will|like|don't mind|wouldn't mind|wouldn't)"
    r"(?: (?:be so kind|me asking|my asking|that))?|"
    r"you'd be (?:so|very) (?:kind|good)|(?:it's|that's|it is|that is|it isn't|it's not) (?:not )?"
    r"(?:ok|okay|all right|alright|possible|all the same(?: to you)?|convenient|no trouble|"
    r"no bother|too much (?:trouble|bother))(?: (?:with|for) you)?|at all possible|possible|i may|"
    r"i might|i could)",
    r"(?:by any chance|i suppose|i think|i guess|i believe|i hope|i reckon|you see|you know|"
    r"i mean|as i say|as i said|let me see|let's see|by the way|anyway|right|well|now|now then|"
    r"right then|okay|ok|so|look|listen|hello|hi|hey|hiya|yes|yeah|erm|um|uh|oh|ah|there|"
    r"honestly|basically|actually|frankly|obviously|unfortunately|sadly|hopefully|ideally|"
    r"apparently|of course|dear me|my goodness|oh dear|silly me|my (?:bad|fault|mistake)|"
    r"(?:it's )?(?:my|our) own fault|what a (?:pain|shame|nuisance|mess)|would you believe(?: it)?|"
    r"the thing is|here's the thing|the trouble is|long story short|fair enough|for my sins)",
    r"(?:good )?(?:morning|afternoon|evening|day)(?: to you)?(?: there)?",
    r"(?:i|i do|we) hope (?:you can help(?: me)?|you're (?:well|keeping well|having a \w+ day)|"
    r"(?:that's|this is) (?:ok|okay|all right|alright))",
    r"(?:just )?(?:a )?(?:quick|small|little|simple|silly|stupid) (?:question|one|thing|query)",
    r"(?:my )?(?:love|dear|darling|mate|pal|buddy|sir|madam|ma'am|miss|sweetheart|honey|hun|duck|"
    r"chief|boss|guys|folks|friend|bro|dude)",
    r"(?:can|could|would|will|won't|couldn't|wouldn't|do|don't|did|have|haven't|is|isn't|are|"
    r"aren't|was|wasn't|were|weren't|does|doesn't|should|shall) (?:you|i|it|we|they|there|he|she)"
    r"(?: (?:please|not|at all|by any chance))?",
    r"(?:is (?:that|he|she|it)|am i|are they) (?:right|wrong|correct|true|ok|okay|all right)",
    r"(?:do|would|don't) you (?:happen to )?(?:know|think|reckon|see)|(?:can|could) you (?:tell me|"
    r"say)",
    rf"(?:can|could|would|maybe|perhaps) you (?:please )?{_HELP}(?: with (?:that|this|something))?",
    r"i (?:was |am |'m )?(?:just )?(?:wonder|wondering)|i (?:was|am) just (?:asking|wondering)|"
    r"just (?:asking|wondering)",
    r"(?:(?:this is|it's|i'm|i am|my name is|my name's|the name is|the name's|and) )*\{name\}"
    r"(?: (?:here|speaking|calling|is my name))?",
    r"(?:and )?(?:(?:my|the) (?:telephone |phone |mobile |cell )?(?:number|mobile|cell|phone) is |"
    r"i'm on |(?:you can )?(?:reach|call|ring|phone|get) me (?:on|at|back on|back at) |on |at |"
    r"with )?\{(?:phone_number|email)\}",
    r"thanks for (?:your|the) (?:help|time|patience)|bless you|god bless",
)
"""A part between two pauses that is nothing else, once there is another."""

_BEFORE = (
    rf"(?:i'm |i am )?{_VERY}sorry (?:to (?:bother|trouble|hassle) you|to be (?:a|such a) \w+)"
    r"(?: again| but| and)*",
    rf"(?:i'm |i am ){_VERY}(?:sorry|afraid)(?: to say)?(?: that| but|,)*",
    rf"{_VERY}sorry(?: love| dear| mate)?(?: but|,)*",
    r"(?:no (?:disrespect|offen[cs]e)|with (?:all due )?respect|"
    r"to be (?:perfectly )?honest) ?(?:but|,)*",
    rf"(?:i was|i'm|i am|we were|i've been) (?:just |only |really )*(?:wondering|hoping|thinking)"
    rf"(?: {_WHETHER})?(?= (?:you|i|we|there|it|my|the|this|that|to)\b)(?: to)?",
    rf"i (?:just )?wonder(?:ed)?(?: {_WHETHER})?,?",
    r"i (?:just |only |really )*(?:wanted|want|would like|wish) to (?:ask|know|check|find out|see|"
    r"hear)"
    rf"(?: you)?(?: {_WHETHER})?",
    r"i don't suppose(?= (?:you|i|there|it|we))",
    r"i (?:just |really )*(?:hope|hoped|trust)(?: that)?(?= you)",
    rf"(?:what )?i(?:'d| would) (?:really |just |quite )*(?:like|love|want|need) (?:to (?:do|know|"
    rf"ask) )?is(?: to| {_WHETHER})?",
    r"what i (?:need|want|wanted|needed) (?:to (?:do|know|ask) )?is(?: to| if| whether)?",
    rf"(?:the reason )?(?:i'm|i am|this is|we're|i was) {_CALLING}(?: today| now| you)?"
    r"(?: is)?(?: to (?:ask|see|check|find out|say))?(?: because| as| that| in order to| to| if|"
    r" whether)?"
    r"(?! about)",
    r"(?:i|i'd) (?:appreciate|be (?:so |very |most )?(?:grateful|obliged|happy|glad)) (?:it )?if"
    r"(?: you (?:could|would|can))?",
    r"(?:is there |would there be |will there be )?(?:any|a|some|is it any) (?:chance|way|"
    r"possibility|hope) "
    r"(?:that )?(?:you|i|we) (?:could|can|might)",
    r"(?:is there |would there be |will there be )?any (?:chance|possibility|hope) of",
    r"would (?:it|that) be (?:at all )?(?:possible|ok|okay|all right|alright|a (?:bother|problem|"
    r"nuisance|hassle|pain)|any (?:bother|trouble)|too much (?:bother|trouble|to ask)) "
    r"(?:(?:for (?:me|you|us) )?to|if (?:i|you|we)(?: could| can)?)",
    r"(?:is it|would it be) possible (?:that (?:i|you|we)(?: can| could)?|for (?:me|you|us) to)",
    r"would you (?:be able|be (?:so |very |ever so )?(?:kind|good)(?: as| enough)?|care|like|"
    r"have time) to",
    rf"(?:would|do) you mind {_VERY}(?=\w+ing\b)",
    rf"(?:would|do) you mind {_VERY}if (?:i|we)(?: could| can)?",
    r"do you (?:think|reckon|suppose) (?:that )?(?=(?:you|i|we|it|there) )",
    r"(?:do|would) you happen to(?= (?:have|know|do|sell|stock))",
    r"(?:you )?couldn't(?: possibly)?(?= (?:tell|let|give|help) me)",
    rf"(?:can|could|would|will) you (?:please |possibly |maybe |perhaps |kindly )*{_HELP}(?: with)?"
    r"(?: (?:to|and))?",
    r"(?:might|may|could|can|shall) (?:i|we) (?:possibly |perhaps |maybe |please |just )*",
    r"(?:can|could|would|will) you (?:possibly |perhaps |maybe |please |just |kindly )+",
    r"(?:please |pls )*kindly(?: please)?(?: do the needful and)?(?= \w)",
    r"(?:i|we) (?:just |really |only |actually )+(?=(?:need|want|would|have|wanted|needed)\b)",
    rf"(?:my|the) {_PERSON}(?:'s| is| was| has been)? (?:asking|wondering|asks|wonders|"
    rf"wants? to know)"
    rf"(?: me)?(?: {_WHETHER})?",
    r"(?:i|we) (?:was|were) told (?:to|i should|i could|that i could) (?:call|ring|phone)(?: you)?"
    r"(?: about)?",
    r"(?:right|well|okay|ok|now|look|listen|so|and|but|yes|yeah|hello|hi|hey|oh|um|uh|erm|er|"
    r"actually|"
    r"basically|anyway|honestly|hiya|good (?:morning|afternoon|evening))(?: then| there)?,? ",
    r"(?:how about|what if) (?=you (?:give|send|tell|show|put))(?:you )",
    r"(?:if you|i need you to|i want you to|i'd like you to|can i get you to|i'll have you)"
    r"(?: could| would| can)?(?: please| just)*(?= (?:tell|give|put|send|show|take|have|get|make|"
    r"let)\b)",
)
"""What leads to a wish."""

_AFTER = (
    r"(?:,? ?(?:please|thanks|thank you|cheers|at all|you know|then|though|love|dear|mate|sir|"
    r"madam|"
    r"ma'am|pal|buddy|today please|by any chance|if (?:at all )?possible|if you can|if you could|"
    r"if you would|i think|i guess|i suppose|i'm afraid|i'm sorry|if that's (?:ok|okay|all right|"
    r"possible)|"
    r"when you(?:'ve got| have| get) a (?:moment|minute|second|chance)|for me|"
    rf"for (?:my|our) (?:\w+ )?{_PERSON}|"
    r"thank you (?:very|so) much|thanks (?:a lot|very much|so much)))+",
)

_A_WHOLE = re.compile("|".join(f"(?:{one})" for one in _WHOLE))
_LEADS = re.compile(rf"(?:(?:{'|'.join(_BEFORE)})(?:,|\b) *)+")
_TRAILS = re.compile("|".join(_AFTER) + "$")
_ASKS_AGAIN = re.compile(r"((?:what|when|where|which|who|how)\b.{12,}) again")
"""Who forgot it asks so, not who did not hear it."""
_BETWEEN = re.compile(r"\s*(?:[,;:!?\u2013\u2014]+|\.(?=\s|$)|--+)\s*")


def without_asides(text: str) -> str:
    """*text* in lower case, its punctuation kept, without what is said around a wish."""
    parts = [part for part in _BETWEEN.split(spelled_out(text.lower())) if part]
    kept = [short for part in parts if (short := _shorter(part))]
    return ", ".join(kept or parts)


def is_aside(clause: str) -> bool:
    """Whether *clause*, beside another one, is no part of a wish."""
    return _A_WHOLE.fullmatch(spelled_out(clause.lower()).strip(" ,.!?")) is not None


def _shorter(part: str) -> str:
    if _A_WHOLE.fullmatch(part):
        return ""
    led = _LEADS.match(part)
    short = part[led.end() :] if led else part
    short = _TRAILS.sub("", short).strip(" ,")
    if asks := _ASKS_AGAIN.fullmatch(short):
        short = asks[1]
    return short or part
