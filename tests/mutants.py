"""
Breaks the code at random, one place at a time, and shows which breaks no unit test notices.

    python -m tests.mutants --count 200 --seed 7

Each mutant is a copy of the code with one change: a condition negated, a comparison turned, `and`
for `or`, a call left out. The unit tests that mirror the module run on it.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    "agent_worker/tools": "tests/unit/agent_worker/tools",
    "call_record": "tests/unit/call_record",
    "call_supervisor": "tests/unit/call_supervisor",
}
"""Folders whose modules are broken, and the tests that mirror them."""
LEFT_OUT = ("__init__", "__main__", "commands", "phrases", "settings", "tables")
"""Modules that decide nothing."""
SILENT = ("log", "metrics", "_metrics")
"""What is called on these is for people who look on; leaving it out breaks no promise."""
TIMEOUT_S = 300
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: Path
    line: int
    what: str
    code: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.what}"


def mutants_of(module: Path) -> Iterator[Mutant]:
    """Every change of *module* that this file knows."""
    tree = ast.parse((ROOT / module).read_text())
    for number, node in enumerate(ast.walk(tree)):
        if what := _change(node):
            changed = copy.deepcopy(tree)
            twin = next(one for at, one in enumerate(ast.walk(changed)) if at == number)
            _apply(twin)
            code = ast.unparse(ast.fix_missing_locations(changed))
            yield Mutant(module, getattr(node, "lineno", 0), f"{what}: {ast.unparse(node)}", code)


def _change(node: ast.AST) -> str:
    match node:
        case ast.If() | ast.While() | ast.IfExp():
            return "negated"
        case ast.Compare():
            return "turned" if type(node.ops[0]) in TURNED else ""
        case ast.BoolOp():
            return "and/or"
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
            return "" if _is_silent(node) else "left out"
        case _:
            return ""


def _is_silent(node: ast.Expr) -> bool:
    return any(
        (isinstance(one, ast.Attribute) and one.attr in SILENT)
        or (isinstance(one, ast.Name) and one.id in SILENT)
        for one in ast.walk(node)
    )


def _apply(node: ast.AST) -> None:
    match node:
        case ast.If() | ast.While() | ast.IfExp():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Compare():
            node.ops[0] = TURNED[type(node.ops[0])]()
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.Expr():
            node.value = ast.Constant(None)


def is_killed(mutant: Mutant, folder: Path) -> bool:
    """Whether a test that mirrors the module fails on *mutant*, in a copy of the code."""
    (folder / mutant.module).write_text(mutant.code)
    tests = next(there for here, there in MODULES.items() if str(mutant.module).startswith(here))
    own = f"{tests}/test_{mutant.module.stem}.py"
    try:
        chosen = [own, tests] if (folder / own).exists() else [tests]
        return any(run(one, folder).returncode for one in chosen)
    except subprocess.TimeoutExpired:
        return True
    finally:
        shutil.copy(ROOT / mutant.module, folder / mutant.module)


def run(tests: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """
    The unit tests *tests* in the copy of the code in *folder*, up to the first that fails.

    Raises: subprocess.TimeoutExpired.
    """
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
         "-m", "not postgres and not models and not long", tests],
        cwd=folder, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
    )  # fmt: skip


def main() -> None:
    """Print each mutant that lives, and how many were killed."""
    options = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--at-once", type=int, default=2)
    options.add_argument("--only", default="", help="of modules whose path has this in it")
    chosen = options.parse_args()
    modules = [
        file.relative_to(ROOT)
        for folder in MODULES
        for file in sorted((ROOT / folder).glob("*.py"))
        if file.stem not in LEFT_OUT and chosen.only in str(file)
    ]
    every = [mutant for module in modules for mutant in mutants_of(module)]
    picked = random.Random(chosen.seed).sample(every, min(chosen.count, len(every)))
    print(f"{len(picked)} of {len(every)} mutants", flush=True)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(chosen.at_once) as pool:
        folders = [Path(scratch) / str(number) for number in range(chosen.at_once)]
        for folder in folders:
            files = subprocess.run(
                ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
            )  # fmt: skip
            for name in files.stdout.rstrip("\0").split("\0"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        for tests in MODULES.values():
            untouched = run(tests, folders[0])
            if untouched.returncode:
                sys.exit(f"{tests} fails without a change: mend that first.\n{untouched.stdout}")

        def work(start: int) -> list[bool]:
            killed = []
            for mutant in picked[start :: chosen.at_once]:
                killed.append(is_killed(mutant, folders[start]))
                print("." if killed[-1] else f"\nlives: {mutant}", end="", flush=True)
            return killed

        results = [one for part in pool.map(work, range(chosen.at_once)) for one in part]
    print(f"\n{sum(results)} of {len(results)} were killed.")


if __name__ == "__main__":
    main()
