"""Where a theorem lives: its statement, claim, family, solvers and tests, each as file and line.

All of it is read off the code, so that nothing can be forgotten or grow stale.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, is_dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from holdfast import theory

from ..binding.claims import Claim, is_shipped

ROOT = Path(theory.__file__).resolve().parents[1]
"""The folder of ``theory``, ``solvers`` and ``verify``; in a checkout ``tests`` is there too."""
_ALL = re.compile(r"parametrize\(.*\bshipped\(\)")
"""A test that goes through every claim but those on trained networks."""


@dataclass(frozen=True, slots=True)
class Place:
    """A definition: what it is to the theorem, its name, and where it is (lines count from 1)."""

    role: str
    name: str
    file: Path
    line: int

    def __str__(self) -> str:
        """``file:line``, relative to the current folder if the file lies below it."""
        here = Path.cwd()
        file = self.file.relative_to(here) if self.file.is_relative_to(here) else self.file
        return f"{file}:{self.line}"


def places(claims: Sequence[Claim]) -> list[Place]:
    """The places of one theorem, from statement to tests; claims: all that bind it.

    The tests are those of shipped claims, found in a checkout only: an installed package has none.
    """
    found = [place for one in claims for place in _code(one)]
    found.sort(key=lambda place: _ROLES.index(place.role))
    shipped = claims and all(is_shipped(one.file) for one in claims)
    return [*dict.fromkeys(found), *(_tests(claims) if shipped else ())]


_ROLES = ("statement", "claim", "family", "solver")


def _code(claim: Claim) -> Iterator[Place]:
    yield from _statements(claim)
    yield _place("claim", claim.evaluate)
    yield _place("family", inspect.unwrap(claim.family.base))
    for solver in _solvers(claim.evaluate):
        yield _place("solver", solver)


def _statements(claim: Claim) -> Iterator[Place]:
    """The assignment of the theorem: in a file of statements, or beside the claim of a user."""
    for file in (*_areas(), Path(claim.file)):
        if claim.theorem.label in _labelled(file):
            yield Place("statement", *_labelled(file)[claim.theorem.label])
            return


@cache
def _areas() -> list[Path]:
    return [Path(area.__file__).resolve() for area in theory.areas() if area.__file__]


@cache
def _labelled(file: Path) -> dict[str, tuple[str, Path, int]]:
    """Label -> name, file and line of what is assigned with ``label="..."`` in a file."""
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return {
        keyword.value.value: (ast.unparse(node.targets[0]), file, node.lineno)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for keyword in node.value.keywords
        if keyword.arg == "label"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


def _place(role: str, function: Callable[..., Any]) -> Place:
    """Where a function is defined; of a nested one, the outermost function around it."""
    name = function.__qualname__.partition(".")[0]
    outer = inspect.unwrap(getattr(sys.modules.get(function.__module__), name, function))
    made = outer if isinstance(outer, type) or hasattr(outer, "__code__") else function
    return Place(role, name, Path(inspect.getfile(made)).resolve(), inspect.getsourcelines(made)[1])


def _solvers(claim: Callable[..., Any]) -> list[Callable[..., Any]]:
    """What a claim calls of ``holdfast.solvers``: functions, and classes that are no mere records.

    Itself, through helpers, or through the methods of its model.
    """
    found: dict[Callable[..., Any], None] = {}
    seen: set[Callable[..., Any]] = set()
    waiting = [claim]
    while waiting:
        function = waiting.pop(0)
        for value in () if isinstance(function, type) else _used(function):
            if value not in seen:
                seen.add(value)
                home = value.__module__
                if home.startswith("holdfast.solvers."):
                    found[value] = None
                elif not home.startswith("holdfast.verify.binding"):
                    waiting.append(value)
    return list(found)


def _used(function: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    names = _names(function.__code__)
    for name in names:
        for one in (
            *_meant(function.__globals__.get(name), names),
            *(vars(model).get(name) for model in _models(function)),
        ):
            called = inspect.unwrap(one) if callable(one) else one
            if _computes(called) and called.__module__.startswith("holdfast."):
                yield called


def _computes(value: Any) -> bool:
    if isinstance(value, type) and value.__module__.startswith("holdfast.solvers."):
        return "__init__" in vars(value) and not is_dataclass(value)
    return isinstance(value, FunctionType)


def _models(function: Callable[..., Any]) -> list[type]:
    """The classes of families that a function is a method of, or is annotated with."""
    names = function.__qualname__.split(".")[0], *function.__annotations__.values()
    found = (function.__globals__.get(name) for name in names if isinstance(name, str))
    home = "holdfast.verify."
    return [one for one in found if isinstance(one, type) and one.__module__.startswith(home)]


def _meant(value: Any, names: Sequence[str]) -> list[Any]:
    """What a name may mean: its value, or, where that is a module of ours, what lies in it."""
    if isinstance(value, ModuleType) and value.__name__.startswith("holdfast."):
        return [vars(value).get(name) for name in names]
    return [value]


def _names(code: CodeType) -> list[str]:
    inner = [c for c in code.co_consts if isinstance(c, CodeType)]
    return [*code.co_names, *(name for one in inner for name in _names(one))]


@cache
def _test_files() -> tuple[tuple[Path, str], ...]:
    files = sorted((ROOT / "tests" / "verify").rglob("test_*.py"))
    return tuple((path, path.read_text(encoding="utf-8")) for path in files)


def _tests(claims: Sequence[Claim]) -> Iterator[Place]:
    """In each file the first line that names a claim, or that examines all claims.

    Of claims on trained networks alone, which no test goes through, the first that imports them.
    """
    names = "|".join(re.escape(one.name) for one in claims)
    named = re.compile(rf"[\"']({names})[\"']")
    seen = set()
    for pattern in (named, _imported(claims) if all(one.trained for one in claims) else _ALL):
        for path, text in _test_files():
            if path not in seen and (found := pattern.search(text)):
                seen.add(path)
                yield Place("test", path.stem, path, text.count("\n", 0, found.start()) + 1)


def _imported(claims: Sequence[Claim]) -> re.Pattern[str]:
    """A line of a test that imports the module of one of the claims or of its family."""
    functions = [
        one for each in claims for one in (each.evaluate, inspect.unwrap(each.family.base))
    ]
    homes = dict.fromkeys(one.__module__.rpartition(".")[::2] for one in functions)
    either = (rf"{re.escape(room)}(\.{name} import| import .*\b{name}\b)" for room, name in homes)
    return re.compile(rf"^from ({'|'.join(either)})", re.MULTILINE)
