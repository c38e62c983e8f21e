"""Reading PRISM's explicit-state files into an exact model."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

from ....errors import ModelError
from ....exact import Rational, common_denominator
from ....sequences import listed
from ...arrays import assemble
from ...cmdp import CMDP
from .additions import Parts, remove_sink, remove_start
from .labels import read_labels
from .rewards import Structure, beside, named_structures, read_rewards, structure_files
from .transitions import Choice, Transitions, read_transitions

_NUMBERED = re.compile(r"a(-?\d{1,18})")
_NAMES_SHOWN = 20
"""Names of actions that a note gives before it says how many more there are."""


def read_prism(
    tra: str | Path,
    *,
    labels: str | Path | None = None,
    rewards: Structure | None = None,
    costs: Sequence[Structure] | None = None,
    budgets: Sequence[Rational] = (),
    discount: Rational | None = None,
) -> CMDP:
    """The exact model of PRISM's explicit-state files.

    Args:
        tra: MODEL.tra, an MDP or a discrete-time Markov chain.
        labels: the .lab file; default MODEL.lab if it is there.  The states labelled init are the
            initial ones, equally likely; without a file, state 0.
        rewards: the objective, r(s, k) = state reward + expected transition reward: a file, a stem
            whose .srew and .trew both count, the name of a structure that PRISM exported as
            MODEL1.srew and so on, or several of these (they are added; none of them is zero
            reward); default MODEL.srew and MODEL.trew.
        costs: one such structure for each cost; default MODEL.cost1, MODEL.cost2, ..., one for
            each budget.
        budgets: bounds on the UN-normalised expected costs.
        discount: gamma in [0, 1]; default the one that ``write_prism(..., discount="sink")`` wrote
            as termination, whose sink is then removed again.

    Probabilities and rewards are the rationals that are written (decimals, 5.6e-6, or p/q).  Rows
    of decimals within 1e-5 of 1 are re-normalised exactly, in proportion, and a note says so.
    States without choices get a self-loop if labelled deadlock.

    Raises ModelError naming file and line for anything malformed, missing or listed twice.
    """
    budgets = listed(budgets, "budgets")
    tra = Path(tra)
    stem = tra.with_name(tra.name.removesuffix(".tra"))
    found = read_transitions(tra)
    named, label_note = _labels(stem, labels, found.n_states)
    closed = close_deadlocks(found, named.get("deadlock", ()))
    objective = _objective(stem, rewards)
    paid = _costs(stem, costs, budgets)
    parts = Parts(
        found.rows,
        [read_rewards(files, found) for files in (objective, *paid)],
        initial_law(named, found.n_states, tra),
        {name: states for name, states in named.items() if name != "init"},
        tra.name,
    )
    parts = remove_start(parts)
    if discount is None:
        parts, discount = remove_sink(parts)
    actions, action_note = named_actions(found.choices[: parts.size])
    read = [tra, *objective, *chain.from_iterable(paid)]
    model = assembled(parts, actions, budgets, discount)
    return model.with_notes(
        f"PRISM explicit files {', '.join(path.name for path in read)}",
        *label_note,
        *_unread(stem, [*read, _label_file(stem, labels)]),
        *closed,
        *rounding(found),
        *action_note,
    )


# -- files and labels ------------------------------------------------------------------------------
def _label_file(stem: Path, given: str | Path | None) -> Path:
    return stem.with_name(stem.name + ".lab") if given is None else Path(given)


def _unread(stem: Path, read: Sequence[Path]) -> list[str]:
    """A note on the labels and rewards of this model that took no part."""
    own = re.compile(re.escape(stem.name) + r"([0-9]+|\..*)?\.(srew|trew|lab)")
    used = {path.resolve() for path in read}
    rest = sorted(
        path.name
        for path in stem.parent.glob(glob.escape(stem.name) + "*")
        if own.fullmatch(path.name)
        and path.resolve() not in used
        and (path.stem == stem.name or not path.with_suffix(".tra").exists())  # another model's
    )
    if not rest:
        return []
    return [
        f"not read: {', '.join(rest)} (--limit takes MODEL.cost1, MODEL.cost2, ... in order, "
        "--cost names other files)"
    ]


def _labels(
    stem: Path, given: str | Path | None, n_states: int
) -> tuple[dict[str, tuple[int, ...]], list[str]]:
    path = _label_file(stem, given)
    if given is None and not path.exists():
        return {"init": (0,)}, [f"no {path.name}: state 0 is the initial one"]
    return read_labels(path, n_states), []


def _objective(stem: Path, given: Structure | None) -> list[Path]:
    if given is None and (files := beside(stem)):
        return files
    named = named_structures(stem)
    if isinstance(given, str) and given in named:
        return named[given]
    if given is not None:
        return structure_files(given)
    there = ", ".join(
        f"{name} ({', '.join(path.name for path in paths)})" for name, paths in named.items()
    )
    raise ModelError(
        f"no reward beside {stem.name}.tra: neither {stem.name}.srew nor {stem.name}.trew"
        + (f"; there are the structures {there}" if there else "")
        + "; name one with rewards=... (--reward), or rewards=() for none"
    )


def _costs(
    stem: Path, given: Sequence[Structure] | None, budgets: Sequence[Rational]
) -> list[list[Path]]:
    if given is None:
        given = [stem.with_name(f"{stem.name}.cost{i + 1}") for i in range(len(budgets))]
    if isinstance(given, (str, Path)):
        given = [given]
    if len(given) != len(budgets):
        raise ModelError(
            f"{len(given)} cost(s) and {len(budgets)} budget(s) given; give one budget a cost"
        )
    return [structure_files(structure) for structure in given]


def initial_law(named: Mapping[str, tuple[int, ...]], n_states: int, tra: Path) -> list[Fraction]:
    """Equal weights of the states labelled init; ModelError without one."""
    start = named.get("init", ())
    if not start:
        raise ModelError(f"no state of {tra.name} is labelled init; label the initial states so")
    return [Fraction(int(s in start)) for s in range(n_states)]


def close_deadlocks(found: Transitions, deadlocks: Sequence[int]) -> list[str]:
    """Give states without a choice, if labelled deadlock, a self-loop, and say how many."""
    empty = [s for s, choices in enumerate(found.choices) if not choices]
    for state in empty:
        if state not in deadlocks:
            raise ModelError(
                f"{found.path.name}: state {state} has no choice; add a self-loop, or label it "
                "deadlock"
            )
        found.choices[state].append(Choice(0, None, {state: Fraction(1)}))
    return [f"{len(empty)} deadlock state(s) got a self-loop"] if empty else []


def rounding(found: Transitions) -> list[str]:
    """A note on the rows that were re-normalised."""
    if not found.renormalised:
        return []
    return [
        f"{found.renormalised} probability row(s) of decimals re-normalised exactly "
        f"(farthest from 1: {float(found.worst):.2g})"
    ]


# -- actions and assembly --------------------------------------------------------------------------
def named_actions(choices: Sequence[Sequence[Choice]]) -> tuple[list[int], list[str]]:
    """Integer labels: of a7 the 7; else the names' alphabetical numbers; else 0, 1, 2, ..."""
    names = _names(choices)
    if names is None:
        return [k for own in choices for k in range(len(own))], []
    if all(map(_NUMBERED.fullmatch, names)):
        return [int(name[1:]) for name in names], []
    return _alphabetical(names)


def _names(choices: Sequence[Sequence[Choice]]) -> list[str] | None:
    """The name of each choice; None where one has none, or shares it in its state."""
    names: list[str] = []
    for own in choices:
        distinct = dict.fromkeys(choice.name for choice in own if choice.name)
        if len(distinct) < len(own):
            return None
        names += distinct
    return names


def _alphabetical(names: Sequence[str]) -> tuple[list[int], list[str]]:
    order = {name: number for number, name in enumerate(sorted(set(names)))}
    shown = [f"{number} {name}" for name, number in list(order.items())[:_NAMES_SHOWN]]
    more = [f"{len(order) - _NAMES_SHOWN} more"] if len(order) > _NAMES_SHOWN else []
    return [order[name] for name in names], [f"actions: {', '.join(shown + more)}"]


def assembled(
    parts: Parts, actions: Sequence[int], budgets: Sequence[Rational], discount: Rational
) -> CMDP:
    """The model of rows, functions and labels."""
    reward, *costs = (list(chain.from_iterable(function)) for function in parts.functions)
    model = assemble(
        counts=list(map(len, parts.rows)),
        actions=actions,
        rows=[
            dict(zip(row, common_denominator(row.values())[0], strict=True))
            for row in parts.flat_rows
        ],
        reward=reward,
        costs=costs,
        budgets=budgets,
        discount=discount,
        initial=common_denominator(parts.initial)[0],
    )
    kept = [(name, states) for name, states in parts.labels.items() if states or name != "deadlock"]
    return replace(model, labels=tuple(kept))
