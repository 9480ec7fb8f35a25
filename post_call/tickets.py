"""When a call needs a person to look at it, and what that person is told."""

from post_call.call_facts import CallFacts
from post_call.connectors import NewTicket, Report
from post_call.summary import cut
from voice_contract.follow_up import CallSummary

SUBJECT_MAX_CHARS = 150
TEXT_MAX_CHARS = 8_000
EVIDENCE_LINES = 40


def is_needed(facts: CallFacts, summary: CallSummary) -> bool:
    """Whether something is left: the outcome says so, a tool went wrong, or may have."""
    return summary.outcome == "unresolved" or facts.is_incomplete or bool(facts.unresolved)


def write(facts: CallFacts, report: Report) -> NewTicket:
    """The ticket of a call, with its evidence."""
    wrong = facts.unresolved
    subject = f"{wrong[0].called} {wrong[0].state}" if wrong else report.summary.reason
    parts = [
        report.summary.text,
        f"Caller: {_who(report)}",
        _list("Open", report.summary.open_questions),
        _list("Done", report.summary.done),
        _list("To do", [_item(item.text, item.owner, item.due) for item in report.action_items]),
        _list(
            "Keys of what is not settled, as the other systems know them",
            [f"{one.called}: {one.idempotency_key}" for one in wrong if one.idempotency_key],
        ),
        _list("Evidence", [f"[{seq}] {cut(words, 300)}" for seq, words in _evidence(facts)]),
        f"The whole call: python -m call_record show {report.call_id}",
    ]
    text = "\n\n".join(part for part in parts if part)
    if len(text) > TEXT_MAX_CHARS:
        text = text[: TEXT_MAX_CHARS - 1] + "…"
    return NewTicket(report.call_id, cut(subject, SUBJECT_MAX_CHARS), text)


def write_broken(call_id: str, problem: str) -> NewTicket:
    """The ticket of a call whose journal does not verify: it repeats nothing of it."""
    text = (
        f"The journal of call {call_id} is not as it was written: {problem}. Nothing of it was "
        "passed on, and nothing more was done for the call.\n\n"
        f"What is wrong with it: python -m call_record verify {call_id}\n"
        "What was not done: python -m post_call list --failed"
    )
    return NewTicket(call_id, "The journal of a call does not verify", text)


def _evidence(facts: CallFacts) -> list[tuple[int, str]]:
    """The lines about what went wrong; else the last ones."""
    lines = list(facts.lines())
    about = {seq for tool in [*facts.unresolved, *facts.refused] for seq in tool.seqs}
    if not about:
        return lines[-EVIDENCE_LINES:]
    # What was said around it tells what was meant.
    return [(seq, words) for seq, words in lines if any(abs(seq - other) <= 4 for other in about)][
        :EVIDENCE_LINES
    ]


def _who(report: Report) -> str:
    tenant = f" of tenant {report.tenant}" if report.tenant else ""
    name = f"{report.display_name}, " if report.display_name else ""
    return f"{name}{report.caller}{tenant}"


def _item(text: str, owner: str | None, due: str | None) -> str:
    return text + (f" ({owner})" if owner else "") + (f" by {due}" if due else "")


def _list(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"- {line}" for line in lines)]) if lines else ""
