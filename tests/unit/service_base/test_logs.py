"""Log lines, as a process of its own prints them."""

import json
import subprocess
import sys
from typing import Any

PROGRAM = """
import logging
import structlog
from service_base import logs

logs.configure("example", level="{level}")
log = structlog.get_logger()
structlog.contextvars.bind_contextvars(call_id="call-1")
{code}
"""


def lines(code: str, *, level: str = "INFO") -> list[dict[str, Any]]:
    """What a process that runs *code* logs, a JSON object a line."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(level=level, code=code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_line_is_json_with_service_time_level_event_and_context() -> None:
    """All of it, and nothing else."""
    (line,) = lines("log.info('turn.completed', latency_ms=412)")
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "turn.completed",
        "level": "info",
        "service": "example",
        "call_id": "call-1",
        "latency_ms": 412,
    }


def test_line_of_a_library_looks_the_same_without_copies() -> None:
    """A library's fields are kept; copies of the event's text go."""
    (line,) = lines(
        "logging.getLogger('livekit').warning('heard', extra={'color_message': 'heard',"
        " 'room': 'r1'})"
    )
    assert line["event"] == "heard"
    assert (line["service"], line["level"], line["room"]) == ("example", "warning", "r1")
    assert line["call_id"] == "call-1"
    assert "color_message" not in line


def test_filters_see_lines_of_ours_and_of_libraries() -> None:
    """A service may take out, or change, what a library says."""
    code = (
        "class Quiet(logging.Filter):\n"
        "    def filter(self, record):\n"
        "        record.levelname = 'INFO'\n"
        "        return 'secret' not in str(record.msg)\n"
        "logs.configure('example', filters=[Quiet()])\n"
        "logging.getLogger('x').warning('loud')\n"
        "logging.getLogger('x').warning('secret')\n"
        "log.info('secret')"
    )
    (line,) = lines(code)
    assert (line["event"], line["level"]) == ("loud", "info")


def test_exception_is_one_line() -> None:
    """A traceback does not break the format."""
    (line,) = lines(
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n"
        "    log.warning('sum.failed', exc_info=error)".replace("\\\n", "\n")
    )
    assert line["event"] == "sum.failed"
    assert "ZeroDivisionError" in line["exception"]


def test_level_is_kept_by_ours_and_by_libraries() -> None:
    """What is below it is not printed."""
    code = "log.debug('a')\nlog.info('b')\nlogging.getLogger('x').info('c')\nlog.error('d')"
    assert [line["event"] for line in lines(code, level="WARNING")] == ["d"]
    assert [line["event"] for line in lines(code, level="DEBUG")] == ["a", "b", "c", "d"]


def test_request_lines_of_http_libraries_are_left_out() -> None:
    """They hold whole addresses, queries included."""
    code = "\n".join(
        f"logging.getLogger('{name}').info('GET /?token=secret')"
        for name in ("httpx", "httpx2", "httpcore", "httpcore2", "uvicorn.access")
    )
    assert lines(code) == []


def test_job_process_leaves_the_rendering_to_its_parent() -> None:
    """There the record carries the fields, for whoever formats it."""
    code = (
        "logs.configure_job()\n"
        "class Keep(logging.Handler):\n"
        "    def emit(self, record):\n"
        '        print(\'{"event": "%s", "call": "%s", "n": %d}\' % '
        "(record.getMessage(), record.call_id, record.n))\n"
        "logging.getLogger().handlers[:] = [Keep()]\n"
        "structlog.get_logger().info('job.done', n=3)"
    )
    assert lines(code) == [{"event": "job.done", "call": "call-1", "n": 3}]
