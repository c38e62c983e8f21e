"""Transition tables of gymnasium environments, read as they are written or refused."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import ModelError
from .rows import plain_numbers

_LAWS = ("initial_state_distrib", "isd")
_HARMLESS = {
    "gymnasium": {"OrderEnforcing", "PassiveEnvChecker", "RecordEpisodeStatistics", "RecordVideo",
                  "HumanRendering", "RenderCollection", "Autoreset"},
    "icu_sepsis": {"FlattenActionWrapper"},
}  # fmt: skip
"""Wrappers, by package, that change neither rewards nor dynamics of the table."""


@dataclass(frozen=True, slots=True)
class Row:
    """The transitions of one choice, as the environment lists them."""

    state: int
    action: int
    probabilities: Sequence[Any]
    successors: Sequence[int]
    rewards: Sequence[Any]
    done: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Table:
    """A transition table: rows sorted by state, the initial law if the environment has one."""

    name: str
    n_states: int
    rows: Sequence[Row]
    initial: Sequence[object] | None

    @property
    def width(self) -> int:
        """One more than the largest action."""
        return 1 + max(row.action for row in self.rows)


def transition_table(
    env: Any, make_kwargs: Mapping[str, Any] | None = None
) -> tuple[Table, tuple[str, ...]]:
    """The table of an environment (or id), with notes.

    Raises ModelError when it exposes none, when a wrapper or an option changes what the table does
    not say, and when the table is not one of probabilities, states, rewards and ends.
    """
    if isinstance(env, str):
        env = make_environment(env, make_kwargs or {})
    elif make_kwargs:
        raise ModelError(
            f"make_kwargs is {dict(make_kwargs)!r}, which an environment that is made already "
            "cannot take; give the id, or make the environment with them"
        )
    raw = env.unwrapped
    name = raw.spec.id if getattr(raw, "spec", None) is not None else type(raw).__name__
    notes = tuple(_wrappers(env, name))
    if getattr(raw, "fickle_passenger", False):
        raise ModelError(
            f"{name} was made with fickle_passenger, which moves the destination outside the "
            "table P[s][a]; make it without"
        )
    if isinstance(getattr(raw, "P", None), Mapping):
        return _listed_table(name, raw), notes
    if hasattr(raw, "_tx_mat"):
        return _dense_table(name, raw._tx_mat, raw._r_mat, raw._d_0), notes
    raise ModelError(
        f"environment {name} exposes no transition table (neither P[s][a] nor "
        "transition matrices); only tabular environments have an exact model"
    )


def make_environment(identifier: str, make_kwargs: Mapping[str, Any]) -> Any:
    """``gymnasium.make`` of exactly this id, or of ``module:Id``, whose module registers it.

    Raises ModelError for an id that is not registered, naming the versions that are, and when the
    module cannot be imported or the environment cannot be made.
    """
    import gymnasium

    module, _, identifier = identifier.rpartition(":")
    if module:
        _import_module(module, identifier)
    if identifier.startswith("Sepsis/"):
        _import_sepsis()
    if identifier not in gymnasium.registry:
        stem = _without_version(identifier)
        others = sorted(key for key in gymnasium.registry if _without_version(key) == stem)
        raise ModelError(
            f"gymnasium {gymnasium.__version__} knows no environment {identifier!r}; "
            + (f"it has {', '.join(others)}" if others else "check the id, or import the package "
               "that registers it first")
        )  # fmt: skip
    _check_arguments(identifier, make_kwargs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return gymnasium.make(identifier, **make_kwargs)
    except Exception as problem:
        raise ModelError(
            f"gymnasium cannot make {identifier!r} with {dict(make_kwargs)}: "
            f"{type(problem).__name__}: {problem}"
        ) from problem


def _import_module(module: str, identifier: str) -> None:
    try:
        import_module(module)
    except Exception as problem:
        raise ModelError(
            f"the module {module!r} that should register {identifier!r} cannot be imported: "
            f"{type(problem).__name__}: {problem}"
        ) from problem


def _check_arguments(identifier: str, given: Mapping[str, Any]) -> None:
    """Raises ModelError for a value of another kind than a default that is a bool or a number.

    Python takes any text for true, so that is_slippery="FALSE" would change nothing.
    """
    for name, default in _defaults(identifier).items():
        value = plain(given.get(name, default))
        if isinstance(default, bool):
            right = isinstance(value, (int, float)) and value in (0, 1)
            remedy = "true or false"
        elif isinstance(default, (int, float)):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            right, remedy = value is None or number, "a number"
        else:
            continue
        if not right:
            raise ModelError(
                f"the argument {name} of {identifier} is {value!r}; its default is {default!r}, so "
                f"write {remedy} as in JSON"
            )


def _defaults(identifier: str) -> dict[str, Any]:
    """The arguments of an environment that have a default, with what its registration sets."""
    import gymnasium

    spec = gymnasium.registry[identifier]
    entry = spec.entry_point
    try:
        creator = (
            gymnasium.envs.registration.load_env_creator(entry) if isinstance(entry, str) else entry
        )
        parameters = inspect.signature(creator).parameters.values()  # type: ignore[arg-type]
    except Exception:  # a module that cannot be loaded: making the environment says so
        return {}
    own = {one.name: one.default for one in parameters if one.default is not one.empty}
    return {"max_episode_steps": spec.max_episode_steps, **own, **spec.kwargs}


def _without_version(identifier: str) -> str:
    return re.sub(r"-v\d+$", "", identifier)


def _import_sepsis() -> None:
    """Register ICU-Sepsis; its dependency prints a deprecation notice, which is swallowed."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import icu_sepsis
        except ImportError as problem:
            raise ModelError(
                "environment Sepsis/ICU-Sepsis needs the package icu-sepsis; install "
                "it with pip install icu-sepsis"
            ) from problem
        del icu_sepsis


def _wrappers(env: Any, name: str) -> Iterator[str]:
    """Notes on the wrappers; raises ModelError for one that may change rewards or dynamics."""
    while env is not env.unwrapped:
        kind = type(env)
        if kind.__name__ == "TimeLimit":
            limit = getattr(env, "_max_episode_steps", "some number of")
            yield f"the time limit of {limit} steps is no part of the table, nor of this model"
        elif kind.__name__ not in _HARMLESS.get(kind.__module__.partition(".")[0], ()):
            raise ModelError(
                f"{name} is wrapped in {kind.__name__}, which may change rewards or dynamics that "
                "the table does not show; give env.unwrapped, and the change as reward=... or costs"
            )
        env = env.env


def _listed_table(name: str, raw: Any) -> Table:
    states = list(raw.P)
    if set(states) != set(range(len(states))):
        raise ModelError(
            f"environment {name} numbers its states {states[:5]} ...; they must be 0 .. S-1"
        )
    rows = [
        _row(name, s, a, raw.P[s][a], len(states))
        for s in range(len(states))
        for a in sorted(raw.P[s])
    ]
    return Table(name, len(states), rows, _law(name, raw))


def _row(name: str, state: int, action: Any, entries: Any, n_states: int) -> Row:
    """One row of P, every entry looked at."""
    where = f"the row of (state {state}, action {action}) of {name}"
    read = [_entry(entry, where, n_states) for entry in entries]
    if isinstance(action, bool) or not isinstance(action, (int, np.integer)):
        raise ModelError(f"{where}: actions are integers, not {action!r}")
    columns: list[list[Any]] = [[entry[i] for entry in read] for i in range(4)]
    return Row(state, int(action), *columns)


def _entry(entry: Any, where: str, n_states: int) -> tuple[Any, int, Any, bool]:
    if not isinstance(entry, (tuple, list, np.ndarray)) or len(entry) != 4:
        many = f"{len(entry)} entries" if hasattr(entry, "__len__") else repr(entry)
        raise ModelError(
            f"{where} holds an item of {many}; it must be (probability, state, reward, done)"
        )
    successor, reward, done = map(plain, entry[1:])
    if successor not in range(n_states) or isinstance(successor, bool):
        raise ModelError(f"{where} has successor {successor!r}; states are 0 .. {n_states - 1}")
    if done not in (0, 1):
        raise ModelError(f"{where} has done {done!r}; it must be True or False")
    return entry[0], int(successor), reward, bool(done)


def _law(name: str, raw: Any) -> list[object] | None:
    """The initial law under either of its names."""
    found = {key: np.asarray(getattr(raw, key)) for key in _LAWS if hasattr(raw, key)}
    laws = list(found.values())
    if len(laws) > 1 and not np.array_equal(laws[0], laws[1]):
        raise ModelError(
            f"{name} has two initial laws, {' and '.join(found)}, that differ; drop one"
        )
    return plain_numbers(laws[0]) if laws else None


def _dense_table(name: str, transitions: Any, rewards: Any, law: Any) -> Table:
    rows = []
    for s, a in np.ndindex(*transitions.shape[:2]):
        hits = np.flatnonzero(transitions[s, a])
        chances, earned = plain_numbers(transitions[s, a, hits]), rewards[s, a, hits].tolist()
        rows.append(Row(s, a, chances, hits.tolist(), earned, [False] * len(hits)))
    return Table(name, len(transitions), rows, plain_numbers(law))


def plain(value: Any) -> Any:
    """A number of numpy as one of Python; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value
