"""Policies beside the tilts that they should be: any ones, and those of a tiny trained model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from holdfast.solvers.alignment.problems import Problem
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.training import Training, options_from
from holdfast.solvers.sequences import Array

from ...binding.draws import Draw
from ...binding.family import Family
from ...hypergradient.families.points import array, numbers
from . import problems as families

_SHARES = tuple(Fraction(k, 4) for k in (4, 2, 0, 1))
_MULTIPLIERS = tuple(Fraction(k, 2) for k in (4, 1, 2, 6))


@dataclass(frozen=True, eq=False)
class Staged:
    """A problem, the policies after both stages [X, Y], lambda, and the share q of a merge."""

    problem: Problem
    first: Array
    second: Array
    multiplier: Fraction
    share: Fraction


@dataclass(frozen=True, eq=False)
class Lacking:
    """A problem, a policy [X, Y], and another f' [X, Y]."""

    problem: Problem
    policy: Array
    other: Array


def _stages(draw: Draw) -> Staged:
    case = families.problem(draw, prompts=2)
    policies = families.policy(draw, case), families.policy(draw, case)
    return Staged(case, *policies, draw.choice(_MULTIPLIERS), draw.choice(_SHARES))


def _policies(draw: Draw) -> Lacking:
    case = families.problem(draw, prompts=2)
    policy = 96 * families.policy(draw, case)
    policy[:, 0] += 1  # so that it is no tilt by a constant, of which no ball shows that it lacks 0
    return Lacking(case, policy / 97, numbers(draw, *case.reference.shape))


def _two(first: Any, second: Any, multiplier: Any = 1, share: Any = 1) -> tuple[Staged]:
    """Two responses that are worth nothing, so that every tilt is the fair reference."""
    case = Problem.of(["1/2", "1/2"], [0, 0])
    return (Staged(case, array([first]), array([second]), Fraction(multiplier), Fraction(share)),)


def _slight() -> tuple[Lacking]:
    """Nearly fair: Pinsker's inequality is attained, nearly."""
    odd = Fraction(1, 1000)
    law = array([[Fraction(1, 2) + odd, Fraction(1, 2) - odd]])
    return (Lacking(Problem.of(["1/2", "1/2"], [0, 0], temperature="1/2"), law, law * 0),)


_LEANING = ("3/5", "2/5")
_FAIR = ("1/2", "1/2")

any_stages = Family("any policies of two stages", _stages).with_landmarks(
    both=lambda: _two(_LEANING, ("9/13", "4/13")),
    first=lambda: _two(_LEANING, _LEANING),
    second=lambda: _two(_FAIR, _LEANING),
    half=lambda: _two(_FAIR, _LEANING, share="1/2"),
)
any_policies = Family("any policies", _policies).with_landmarks(slight=_slight)

# -- trained policies -----------------------------------------------------------------------------
_STAGED: dict[str, Any] = {
    "prompts": 2, "responses": 4, "temperature": 1.0, "multiplier": 2.0, "first": "dpo",
    "then": "dpo", "rank": 8, "second": "right", "updates": 100, "learning_rate": 0.02,
}  # fmt: skip
_GROUPS: dict[str, Any] = {
    "prompts": 2, "responses": 4, "temperature": 0.5, "group": 2, "groups": 64, "updates": 80,
    "learning_rate": 0.02,
}  # fmt: skip
"""All options, so that no default that is changed elsewhere changes these runs: some seconds of one
core beside the import of the trainers."""


def _training(name: str, seed: int, given: dict[str, Any]) -> Training:
    found = find(f"alignment/{name}")
    options: Any = options_from(found.options, given)
    assert asdict(options) == given, "an option is left to its default"
    return Training(found.name, "bandit", seed, options)


def _staged(draw: Draw) -> Training:
    mode = draw.choice(("full", "lora"))
    return _training("sacpo", draw.integer(0, 999), {**_STAGED, "mode": mode})


def _grouped(draw: Draw) -> Training:
    return _training(draw.choice(("grpo", "rloo")), draw.integer(0, 999), _GROUPS)


STAGES = Family("a tiny model trained in two stages of DPO", _staged, trained=True)
GROUPS = Family("a tiny model trained by GRPO or RLOO", _grouped, trained=True)


@cache
def _result(training: Training) -> Any:
    from holdfast.solvers.neural.parts.runs import obtain

    return obtain(training).result()


def _problem(found: Any, rewards: Array) -> Problem:
    """Each float the rational that it is; laws divided by their sums."""
    return Problem.of(
        rational(found.reference), rewards, array(found.safety),
        temperature=Fraction(found.options.temperature),
    )  # fmt: skip


def rational(laws: Array) -> Array:
    """Laws of floats as laws of rationals."""
    exact = array(laws)
    return exact / exact.sum(axis=1)[:, None]


def staged(training: Training, share: Fraction) -> Staged:
    """The policies of a run in two stages, merged in that share."""
    found = _result(training)
    return Staged(
        _problem(found, array(found.rewards)), rational(found.first), rational(found.policy),
        Fraction(found.options.multiplier), share,
    )  # fmt: skip


def grouped(training: Training) -> Lacking:
    """The policy of a run with groups: f is what its update has as fixed point, f' what the other
    algorithm's has."""
    found = _result(training)
    rewards = array(found.rewards)
    shrunk = rewards * (1 - Fraction(1, found.options.group))
    right, wrong = (rewards, shrunk) if training.algorithm.endswith("rloo") else (shrunk, rewards)
    return Lacking(_problem(found, right), rational(found.policy), wrong)
