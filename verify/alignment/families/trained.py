"""Policies beside the tilts that they should be: any ones, and those of a tiny trained model."""

from __future__ import annotations

from collections.abc import Callable
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
    "prompts": 2, "responses": 4, "temperature": 0.5, "group": 2, "groups": 64, "updates": 120,
    "learning_rate": 0.01,
}  # fmt: skip
_PENALTIES: dict[str, Any] = {
    **_GROUPS, "learning_rate": 0.02, "update": "reward", "rectified": True, "rate": 2.0,
    "cap": 2.0,
}  # fmt: skip
_BESTS: dict[str, Any] = {
    **_GROUPS, "temperature": 0.25, "group": 8, "groups": 16, "draws": 4, "learning_rate": 0.02,
    "estimate": "unbiased", "sharpness": 0.25, "rescaled": True,
}  # fmt: skip
_GROUPED = {"grpo": _GROUPS, "rloo": _GROUPS, "repo": _PENALTIES, "inference-aware": _BESTS}
"""All options, so that no default that is changed elsewhere changes these runs: some seconds of one
core beside the import of the trainers.  Steps twice as long lose a response that the first groups
find poor, and do not find it again in time."""


def _training(name: str, seed: int, given: dict[str, Any]) -> Training:
    found = find(f"alignment/{name}")
    options: Any = options_from(found.options, given)
    assert asdict(options) == given, "an option is left to its default"
    return Training(found.name, "bandit", seed, options)


def _staged(draw: Draw) -> Training:
    mode = draw.choice(("full", "lora"))
    return _training("sacpo", draw.integer(0, 999), {**_STAGED, "mode": mode})


def _grouped(draw: Draw) -> Training:
    name = draw.choice(tuple(_GROUPED))
    return _training(name, draw.integer(0, 999), _GROUPED[name])


STAGES = Family("a tiny model trained in two stages of DPO", _staged, trained=True)
GROUPS = Family("a tiny model trained by GRPO, RLOO, RePO or GRPO of the best of n", _grouped,
                trained=True)  # fmt: skip


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
    """The policy of a run with groups: f is what its update has as fixed point, f' what another
    algorithm's has: the other baseline; costs that are not rectified; plain rewards."""
    found = _result(training)
    right, wrong = _FIXED[training.algorithm.partition("/")[2]](found)
    return Lacking(_problem(found, right), rational(found.policy), wrong)


def _shrunk(found: Any, rewards: Array) -> Array:
    return rewards * (1 - Fraction(1, found.options.group))


def _baselines(found: Any) -> tuple[Array, Array]:
    rewards = array(found.rewards)
    return _shrunk(found, rewards), rewards


def _penalties(found: Any) -> tuple[Array, Array]:
    """At the cap of the multiplier."""
    rewards, costs, cap = array(found.rewards), -array(found.safety), Fraction(found.options.cap)
    both = rewards - cap * costs.clip(min=0), rewards - cap * costs
    right, wrong = (_shrunk(found, one) for one in both)
    return right, wrong


def _best_of_n(found: Any) -> tuple[Array, Array]:
    """The optimum is the tilt by the first variation at the optimum itself."""
    from holdfast.solvers.neural.alignment.grouped.inference_aware import best_of, optima

    best = optima(found.options, found.reference, found.rewards)["right"]
    slopes = best_of(found.rewards, best, found.options.draws)[1]
    return array(slopes), array(found.rewards)


_FIXED: dict[str, Callable[[Any], tuple[Array, Array]]] = {
    "grpo": _baselines, "rloo": lambda found: _baselines(found)[::-1], "repo": _penalties,
    "inference-aware": _best_of_n,
}  # fmt: skip
"""Algorithm -> f and f' of its runs."""
