"""What keeps the stack from starting is said before anything is started."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import checks, ports
from devstack.services import SERVICES, Loaded, derived
from tests.support.local_stack import LocalStack

NAMES = [service.name for service in SERVICES]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStack]:
    """A stack's settings in the environment, with its folder as the current one."""
    stack = LocalStack.on_free_ports(tmp_path)
    for name, value in stack.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    yield stack


def load() -> Loaded:
    """The settings, which must be right."""
    loaded, problems = checks.settings()
    assert problems == []
    return loaded


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("PARLEY_LOGS=1\nthis is no setting\n", 2),
        ("PARLEY_LOGS\n", 1),
        ("# fine\n\nPARLEY_AGENT='not closed\n", 3),
        ("=value\n", 1),
    ],
)
def test_env_file_malformed_line_is_named_by_its_number(
    tmp_path: Path, text: str, line: int
) -> None:
    """The sentence says where, and never repeats the line: it may hold a secret."""
    file = tmp_path / ".env"
    file.write_text(text)
    problems = checks.env_file_problems(file)
    assert problems == [f"{file}, line {line}: this is not of the form NAME=value."]


def test_env_file_in_another_encoding_is_a_sentence(tmp_path: Path) -> None:
    """A file saved as UTF-16 is no traceback."""
    file = tmp_path / ".env"
    file.write_text("PARLEY_LOGS=1", encoding="utf-16")
    assert checks.env_file_problems(file) == [f"{file} is not UTF-8 text."]


def test_env_file_that_is_a_folder_is_a_sentence(tmp_path: Path) -> None:
    """What cannot be read at all is no traceback either."""
    assert checks.env_file_problems(tmp_path) == [f"{tmp_path} cannot be read: Is a directory."]


def test_env_file_missing_empty_or_commented_is_fine(tmp_path: Path) -> None:
    """Nobody needs a .env, and the usual spellings are all right."""
    file = tmp_path / ".env"
    assert checks.env_file_problems(file) == []
    file.write_text("")
    assert checks.env_file_problems(file) == []
    file.write_text("# a\n\nexport A=1\nB = 'two words' # why\nC=\n")
    assert checks.env_file_problems(file) == []


def test_settings_broken_env_file_is_reported_alone(folder: LocalStack) -> None:
    """What follows from a broken file is not heaped on top of it."""
    (folder.folder / ".env").write_text("PARLEY_TOKEN_PORT 8080\n")
    loaded, problems = checks.settings()
    assert loaded == {}
    assert problems == [".env, line 1: this is not of the form NAME=value."]


def test_settings_several_problems_are_listed_together_and_once(folder: LocalStack) -> None:
    """One start shows all there is to correct, and hides the values."""
    (folder.folder / ".env").write_text(
        "PARLEY_SPEECH_QUEUE=hunter2\nPARLEY_SFU_URL=hunter2\nPARLEY_TOKEN_PROT=8080\n"
    )
    _, problems = checks.settings()
    assert [problem.split(":")[0] for problem in problems] == [
        "PARLEY_SFU_URL",
        "PARLEY_SPEECH_QUEUE",
        "PARLEY_TOKEN_PROT",
    ]
    assert "hunter2" not in "".join(problems)


def test_problems_of_a_fit_machine_are_none(folder: LocalStack, tmp_path: Path) -> None:
    """Everything there and every port free: nothing to say, and the key is made."""
    page = tmp_path / "dist" / "index.html"
    page.parent.mkdir()
    page.write_text("<html>")
    loaded = load()
    loaded["token-service"].__dict__["web_dir"] = page.parent
    assert list(checks.problems(loaded, NAMES)) == []
    assert folder.key.secret


def test_problems_page_missing_names_the_remedy(
    folder: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that was not built is no blank page later."""
    monkeypatch.setenv("PARLEY_WEB_DIR", "nowhere")
    assert list(checks.problems(load(), ["token-service"])) == [
        "PARLEY_WEB_DIR: nowhere/index.html is missing; `make web` builds the web client."
    ]


def test_problems_sfu_missing_names_the_remedy(
    folder: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that is not there is said before it is started."""
    monkeypatch.setenv("PARLEY_SFU_BINARY", "/nowhere/livekit-server")
    assert list(checks.problems(load(), ["sfu"])) == [
        "PARLEY_SFU_BINARY: the SFU, livekit-server, is missing; `make sfu` gets it."
    ]


@pytest.mark.parametrize(
    ("name", "setting", "kind"),
    [
        ("token-service", "token", "tcp"),
        ("post-call", "post_call", "tcp"),
        ("sfu", "sfu_tcp", "tcp"),
        ("sfu", "sfu_udp", "udp"),
    ],
)
def test_problems_port_taken_says_who_needs_it_and_the_setting(
    folder: LocalStack, name: str, setting: str, kind: str
) -> None:
    """TCP and UDP alike."""
    number = folder.port(setting)
    with socket.socket(type=socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", number))
        if kind == "tcp":
            taken.listen()
        problems = list(ports.problems(ports.needed(load(), [name])))
    label = {"token-service": "token service", "post-call": "post-call service", "sfu": "SFU"}[name]
    assert problems == [
        f"PARLEY_{setting.upper()}_PORT: the {label} needs {kind.upper()} port {number} on "
        "127.0.0.1, but it is taken; stop what uses it or set another port."
    ]


def test_problems_one_port_for_two_services_names_both(
    folder: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clash within our own settings is not blamed on another program."""
    monkeypatch.setenv("PARLEY_SPEECH_PORT", str(folder.port("token-service")))
    assert list(ports.problems(ports.needed(load(), NAMES))) == [
        "PARLEY_TOKEN_PORT: the token service and the speech server are both to use TCP port "
        f"{folder.port('token-service')}; give one of them another."
    ]


def test_derived_moved_ports_move_what_points_to_them(folder: LocalStack) -> None:
    """Who moves a port or the run folder need not know who else reads it."""
    values = derived(load())
    assert values["PARLEY_SFU_URL"] == folder.sfu_url
    assert values["PARLEY_STT_BASE_URL"] == f"{folder.url('speech-server')}/v1"
    assert values["PARLEY_STOREFRONT_URL"] == folder.url("storefront")
    assert values["PARLEY_SFU_KEYS_FILE"] == str(folder.keys_file)
    assert str(folder.run_dir) in values["PARLEY_STOREFRONT_DATABASE_URL"]
    # Who opens the page of `make run` has orders to ask about.
    assert values["PARLEY_STOREFRONT_DEMO_CUSTOMER"] == "true"


def test_derived_connects_the_shops_own_agent_alone_to_the_shop(
    folder: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers of another agent are no customers of the shop."""
    connectors = "examples.storefront.connectors"
    assert derived(load())["PARLEY_POST_CALL_CRM"] == f"{connectors}:StorefrontCrm"
    assert derived(load())["PARLEY_POST_CALL_TICKETS"] == f"{connectors}:StorefrontTickets"
    assert "PARLEY_TOKEN_PAGE_FILE" not in derived(load())
    for agent in ("my.agent", "examples.clinic.agent"):
        monkeypatch.setenv("PARLEY_AGENT", agent)
        assert derived(load())["PARLEY_POST_CALL_CRM"] == "none"
        assert derived(load())["PARLEY_POST_CALL_TICKETS"] == "none"


def test_derived_gives_the_page_the_words_of_the_clinics_agent(
    folder: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its agent the address of its backend."""
    monkeypatch.setenv("PARLEY_AGENT", "examples.clinic.agent")
    values = derived(load())
    assert Path(values["PARLEY_TOKEN_PAGE_FILE"]).is_file()
    assert values["PARLEY_CLINIC_URL"] == folder.url("clinic")
    assert str(folder.run_dir) in values["PARLEY_CLINIC_DATABASE_URL"]


def test_derived_leaves_what_a_person_chose(
    folder: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recognizer of their own is not replaced by the local one."""
    monkeypatch.setenv("PARLEY_STT_BASE_URL", "https://speech.example/v1")
    values = derived(load())
    assert "PARLEY_STT_BASE_URL" not in values
    assert "PARLEY_TTS_BASE_URL" in values
