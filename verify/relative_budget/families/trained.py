"""A family of small locks on which a network was trained, its law of T exact at every update."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.training import Training, options_from
from holdfast.solvers.relative_budget import Chain
from holdfast.solvers.relative_budget.version_space import Law

from ...binding.draws import Draw
from ...binding.family import Family

if TYPE_CHECKING:
    from holdfast.solvers.neural.relative_budget import LockRun

HORIZON = 5
"""Tokens of a rollout: with two steps there are five outcomes, whose sets can all be looked at."""
_SMALL: dict[str, Any] = {
    "steps": 2, "horizon": HORIZON, "target": 0.0, "rewards": "verified", "updates": 6, "groups": 4,
    "group": 8, "learning_rate": 0.5, "model": "", "letters": 4, "width": 16, "layers": 1,
    "checkpoint_every": 0,
}  # fmt: skip
"""All other options, so that no default that is changed elsewhere changes these runs: some seconds
of one core beside the import of the trainer."""


def _training(draw: Draw) -> Training:
    found = find("relative_budget/lock")
    given = {**_SMALL, "budgets": draw.choice(("0.5", "1", "1.5", "2"))}
    options: Any = options_from(found.options, given)
    assert asdict(options) == given, "an option is left to its default"
    return Training(found.name, "lock", draw.integer(0, 999), options)


LOCKS = Family("policies trained on a small lock", _training, trained=True)

REWARDS: Law = (*(Fraction(HORIZON - t) for t in range(HORIZON)), Fraction(0))
"""Of T = 1, ..., H, and of what is not solved in time."""


@cache
def policies(training: Training) -> tuple[Chain, ...]:
    """The law of T before each update and after the last, each float the rational that it is."""
    from holdfast.solvers.neural.parts.runs import obtain
    from holdfast.solvers.neural.relative_budget.laws import chain

    found: LockRun = obtain(training).result()
    return tuple(chain(chances) for chances in found.policies())


@cache
def outcomes(policy: Chain) -> Law:
    """Probabilities of the outcomes that `REWARDS` rewards."""
    found = policy.masses(HORIZON)
    return (*found, 1 - sum(found, Fraction(0)))


def updates(training: Training) -> list[tuple[Law, Law]]:
    """Laws of the outcomes before and after each update, without T = 1, which two steps exclude."""
    laws = [outcomes(policy)[1:] for policy in policies(training)]
    return list(pairwise(laws))
