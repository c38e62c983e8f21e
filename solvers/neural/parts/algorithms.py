"""The algorithms that train networks, found by looking into the packages of the pillars."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from ...errors import ModelError
from .nearest import nearest
from .training import options_from

if TYPE_CHECKING:
    from .runs import Run, Workplace
    from .training import Training

_NEURAL = __name__.split(".parts.")[0]


@dataclass(frozen=True)
class Algorithm:
    """What trains networks.

    Attributes:
        name: ``PILLAR/NAME``.
        options: frozen dataclass of ints, floats, bools and strings with defaults and help.
        train: trains from the last checkpoint of a workplace, if it has one, to the end, and keeps
            the outcome there.
        load: the outcome of a finished run, such as a policy.
        check: raises ModelError for a training that it refuses, before anything is written.
        source: the file that a training learns from, if it learns from one.  A run is refused where
            it goes on, or is looked up, and that file has changed.
        preset: (task, given options) -> other options that suit the task, beside those.
    """

    name: str
    options: type
    train: Callable[[Workplace], None]
    load: Callable[[Run], Any]
    check: Callable[[Training], object] = lambda training: None
    preset: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = lambda task, given: {}
    source: Callable[[Training], Path | None] = lambda training: None

    def options_for(self, task: str, given: Mapping[str, Any]) -> Any:
        """The record with what is given, what suits the task beside it, and defaults elsewhere.

        Raises ModelError as `options_from`.
        """
        return options_from(self.options, {**self.preset(task, given), **given})


def _listed() -> Iterator[tuple[str, str, str]]:
    """Name, module and one line of each algorithm."""
    package = import_module(_NEURAL)
    for found in iter_modules(package.__path__):
        pillar = f"{_NEURAL}.{found.name}"
        listed = getattr(import_module(pillar), "ALGORITHMS", {}) if found.ispkg else {}
        for name, (module, line) in listed.items():
            yield f"{found.name}/{name}", f"{pillar}.{module}", line


def known() -> dict[str, str]:
    """Name -> one line; loads no torch."""
    return {name: line for name, _, line in sorted(_listed())}


def own_tasks() -> dict[str, dict[str, str]]:
    """Name of the algorithm -> its tasks, each with one line, where these are its own; loads no
    torch."""
    found = {}
    for name, module, _ in sorted(_listed()):
        package = import_module(module.rpartition(".")[0])
        if tasks := getattr(package, "TASKS", {}).get(name.partition("/")[2]):
            found[name] = dict(tasks)
    return found


def find(name: str) -> Algorithm:
    """The algorithm of the name ``PILLAR/NAME``.

    Raises ModelError for a name that is not known; the nearest is named.
    """
    modules = {known: module for known, module, _ in _listed()}
    if name not in modules:
        near = nearest(name, modules)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(sorted(modules))}."
        raise ModelError(f"no algorithm is named {name!r}; {hint}")
    found: Algorithm = import_module(modules[name]).ALGORITHM
    return found
