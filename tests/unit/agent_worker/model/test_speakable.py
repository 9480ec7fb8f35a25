"""What of a model's text is heard and shown, however the text is cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_worker.model.speakable import Speakable
from agent_worker.model.written_call import Tools, WrittenCall

TOOLS: Tools = {"order_status": {}, "ask_price": {"what": {"type": "string"}}, "call": {}}
SEVEN = WrittenCall("order_status", '{"order_number": 7}')


def read(text: str, step: int, tools: Tools = TOOLS) -> list[str | WrittenCall]:
    """*text* in pieces of *step* characters."""
    speakable = Speakable(tools)
    found: list[str | WrittenCall] = []
    for start in range(0, len(text), step):
        found += speakable.push(text[start : start + step])
    return [*found, *speakable.end()]


STEPS = pytest.mark.parametrize("step", [1, 3, 7, 1000])


@STEPS
@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Of course. We are open.", ["Of course.", "We are open."]),
        ("It costs 3.50 dollars. Ask Dr. Smith.", ["It costs 3.50 dollars.", "Ask Dr. Smith."]),
        ("Order 7. It is here.", ["Order 7.", "It is here."]),
        ("Well, we are open till six", ["Well, we are open till six"]),
        ("Thanks for calling us, we are open", ["Thanks for calling us,", "we are open"]),
        (
            "**Orders**\n\n- Order *7* is out\n- Order `8`",
            ["Orders.", "Order 7 is out.", "Order 8"],
        ),
        ("# Hours\nNine to six.", ["Hours.", "Nine to six."]),
        ("1. Open it.\n2. Close it.", ["1. Open it.", "2. Close it."]),
        (
            "| day | from |\n|---|---|\n| Monday | nine |\n\nSo.",
            ["day, from.", "Monday, nine.", "So."],
        ),
        ("See [our page](https://example.com/a?b=c).", ["See our page."]),
        ("See https://example.com/a/b now.", ["See example.com now."]),
        ("I **really\nmean** it \U0001f600.", ["I really.", "mean it ."]),
        ("It is 5 < 6, and x_y is [fine].", ["It is 5 < 6,", "and x_y is [fine]."]),
        (
            "Open at 9 a.m. on Monday, No. 7 Mill St. in town. No. Not now.",
            ["Open at 9 a.m. on Monday,", "No. 7 Mill St. in town.", "No.", "Not now."],
        ),
        ("Press * to go back, or *67, 5 * 3.", ["Press * to go back,", "or *67, 5 * 3."]),
        ("Mail ann_b@example.com, e.g. at night.", ["Mail ann_b@example.com, e.g. at night."]),
        ('He said "yes." Then he left... Fine.', ['He said "yes."', "Then he left...", "Fine."]),
        (
            "See [our hours, prices and rules](https://example.com/a). So.",
            ["See our hours, prices and rules.", "So."],
        ),
        ("day | from\n--- | ---\nMonday | nine\n", ["day, from.", "Monday, nine."]),
        (
            "\u597d\u7684\u3002\u6211\u4eec\u5f00\u95e8\u3002",
            ["\u597d\u7684\u3002", "\u6211\u4eec\u5f00\u95e8\u3002"],
        ),
        ("<|im_start|>Hello there.<|im_end|></s>", ["Hello there."]),
        ("", []),
        (" \n\n **", []),
    ],
)
def test_words_come_without_markup_and_by_the_clause(
    text: str, clauses: list[str], step: int
) -> None:
    assert read(text, step) == clauses


@STEPS
@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "order_status", "arguments": {"order_number": 7}}\n</tool_call>',
        '{"name": "order_status", "parameters": {"order_number": 7}}',
        '```json\n{"name": "order_status", "arguments": {"order_number": 7}}\n```',
        '[TOOL_CALLS][{"name": "order_status", "arguments": {"order_number": 7}}]',
        '[TOOL_CALLS]order_status[ARGS]{"order_number": 7}',
        '<function=order_status>{"order_number": 7}</function>',
        "<tool_call><function=order_status><parameter=order_number>\n7\n</parameter></function>"
        "</tool_call>",
        '<|python_tag|>{"name": "order_status", "parameters": {"order_number": 7}}<|eom_id|>',
        '{"function": {"name": "order_status", "arguments": "{\\"order_number\\": 7}"}}',
        '<tool_call>{"name": "order_status", "arguments": {"order_number": 7}}',
        '{\n  "name": "order_status",\n  "arguments": {"order_number": 7}\n}',
        "[order_status(order_number=7)]",
        '[TOOL_CALLS]order_status[CALL_ID]abc123def[ARGS]{"order_number": 7}',
        "<|channel|>commentary to=functions.order_status <|constrain|>json<|message|>"
        '{"order_number": 7}<|call|>',
        "<\uff5ctool\u2581calls\u2581begin\uff5c><\uff5ctool\u2581call\u2581begin\uff5c>function"
        '<\uff5ctool\u2581sep\uff5c>order_status\n```json\n{"order_number": 7}\n```'
        "<\uff5ctool\u2581call\u2581end\uff5c><\uff5ctool\u2581calls\u2581end\uff5c>",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.order_status:0"
        '<|tool_call_argument_begin|>{"order_number": 7}<|tool_call_end|>'
        "<|tool_calls_section_end|>",
    ],
)
def test_call_that_is_written_as_text_is_a_call(text: str, step: int) -> None:
    """In the ways of the models that do so, and never heard."""
    assert read(text, step) == [SEVEN]
    assert read(f"Let me look. {text}", step) == ["Let me look.", SEVEN]


@STEPS
@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"name": "launch", "arguments": {}}</tool_call>',
        '<tool_call>{"name": "order_status", "arguments": [7]}</tool_call>',
        '<tool_call>{"name": "order_status", "argum</tool_call>',
        '{"name": "order_status", "arguments": {"order_num',
        "```python\nprint(order_status(7))\n```",
        "<tool_call>to a call main, ask price",
    ],
)
def test_call_that_is_none_of_ours_or_not_whole_is_neither_heard_nor_made(
    text: str, step: int
) -> None:
    speakable = Speakable(TOOLS)
    found: list[str | WrittenCall] = []
    for start in range(0, len(text), step):
        found += speakable.push(text[start : start + step])
    assert [*found, *speakable.end()] == []
    assert speakable.has_unspeakable


def test_arguments_stay_as_they_were_written_for_the_gate_to_judge() -> None:
    """It refuses a name that stands there twice."""
    twice = '{"order_number": 7, "order_number": 8}'
    assert read(f'{{"name": "order_status", "arguments": {twice}}}', 5) == [
        WrittenCall("order_status", twice)
    ]


def test_argument_between_tags_is_of_the_kind_that_the_tool_wants() -> None:
    text = "<function=ask_price><parameter=what>\n12\n</parameter></function>"
    assert read(text, 9) == [WrittenCall("ask_price", '{"what": "12"}')]


def test_call_that_a_model_only_thinks_of_is_none() -> None:
    thought = '<|channel|>analysis<|message|>We could call order_status {"order_number": 7}.<|end|>'
    final = "<|start|>assistant<|channel|>final<|message|>Which one?"
    for step in (1, 7, 1000):
        assert " ".join(map(str, read(thought + final, step))).endswith("Which one?")
        assert not any(isinstance(one, WrittenCall) for one in read(thought + final, step))


def test_bar_in_a_sentence_makes_no_table() -> None:
    assert read("Mill Street | Hill Road. Both are open.", 5) == [
        "Mill Street, Hill Road.",
        "Both are open.",
    ]


def test_argument_that_is_called_name_is_no_tools_name() -> None:
    text = '[TOOL_CALLS]ask_price[ARGS]{"name": "call"}'
    assert read(text, 9) == [WrittenCall("ask_price", '{"name": "call"}')]


def test_words_after_a_written_call_are_heard() -> None:
    assert read('{"name": "order_status", "arguments": {"order_number": 7}} Wait.', 4) == [
        SEVEN,
        "Wait.",
    ]


def test_written_call_has_a_bound() -> None:
    """A model that writes one for ever is read no further."""
    speakable = Speakable(TOOLS)
    assert speakable.push("<tool_call>") == []
    for _ in range(900):
        assert speakable.push("x" * 10) == []
    assert speakable.is_lost
    assert speakable.push("</tool_call> Hello there. So") == speakable.end() == []


def test_half_a_clause_is_left_out_where_the_text_broke_off() -> None:
    """And half a call."""
    speakable = Speakable(TOOLS)
    assert speakable.push("Order 7 is on its way. It will") == ["Order 7 is on its way."]
    assert speakable.end(is_cut=True) == []
    speakable = Speakable(TOOLS)
    speakable.push('{"name": "order_status", "arguments": {"order_number": 7}')
    assert speakable.end(is_cut=True) == []
    speakable = Speakable(TOOLS)
    speakable.push("It is here.")
    assert speakable.end(is_cut=True) == ["It is here."]


def test_point_that_came_before_a_pause_may_be_a_numbers() -> None:
    speakable = Speakable(TOOLS)
    assert speakable.push("It costs 3.") == speakable.pause() == []
    assert speakable.push("50. So") == ["It costs 3.50."]
    title = Speakable(TOOLS)
    assert title.push("Ask Dr.") == title.pause() == []
    plain = Speakable(TOOLS)
    assert (plain.push("It is here."), plain.pause()) == ([], ["It is here."])


def test_text_without_an_end_has_a_bound() -> None:
    speakable = Speakable(TOOLS)
    for _ in range(300):
        speakable.push("!!!!!!!!!!")
    assert speakable.is_lost


def test_words_of_a_slow_model_come_before_their_clause_is_whole() -> None:
    """Up to the last one, which may go on; and none that may belong to a call or a table."""
    speakable = Speakable(TOOLS)
    speakable.push("We are open from ni")
    assert speakable.hurry() == ["We are open from"]
    assert speakable.push("ne to six. So") == ["nine to six."]
    assert [Speakable(TOOLS).hurry() for _ in range(1)] == [[]]
    for text in ("Well <tool", "| a | b", '{"name": "or'):
        waiting = Speakable(TOOLS)
        waiting.push(text)
        assert waiting.hurry() == []


@given(
    st.lists(
        st.sampled_from("yes no order seven costs 3.50 at nine o'clock don't x_y".split()),
        min_size=1,
    ),
    st.integers(1, 9),
)
def test_plain_words_come_whole(words: list[str], step: int) -> None:
    said = " ".join(one for one in read(" ".join(words) + ".", step) if isinstance(one, str))
    assert said == " ".join(words) + "."


@given(st.text(alphabet="ab .,!?\n*_`|-#<>[](){}\"'1:/=", max_size=80), st.integers(1, 9))
def test_no_text_breaks_it_and_nothing_is_invented(text: str, step: int) -> None:
    """Every letter that is said was written."""
    said = "".join(one for one in read(text, step) if isinstance(one, str))
    left = iter(character for character in text if character.isalnum())
    assert all(character in left for character in said if character.isalnum())
