"""Families for natural gradient steps on softmax policies, and for the method that takes them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from holdfast.solvers import CMDP, Policy, from_arrays

from ..draws import Draw
from ..family import Case, Family, OutOfScope
from .cmdps import cmdps, covering_policy, policy, skeleton


@dataclass(frozen=True, slots=True)
class NaturalStep:
    """One step on a model without costs.

    The advantages of `acting` times step/(1 - gamma) differ by integers within each state, so with
    `step` in units of log 2 the new policy is rational: acting 2^(step A/(1 - gamma)), normalised.
    """

    model: CMDP
    acting: Policy
    comparator: Policy
    step: Fraction


def paying(
    model: CMDP, acting: Policy, values: list[int], exponents: list[int], step: Fraction
) -> CMDP:
    """The model with the rewards for which `acting` has these values and advantages.

    Choice k has advantage (1 - gamma)/step (exponents[k] - mean under acting).
    """
    reward: list[Fraction] = []
    for s, (a, b) in enumerate(pairwise(model.choice_start.tolist())):
        probabilities = acting.probabilities[a:b]
        mean = sum(p * x for p, x in zip(probabilities, exponents[a:b], strict=True))
        for k in range(a, b):
            ahead = sum((p * values[t] for t, p in model.transition_row(k)), Fraction(0))
            advantage = (1 - model.discount) / step * (exponents[k] - mean)
            reward.append(values[s] + advantage - model.discount * ahead)
    return model.with_reward(reward)


def natural_steps() -> Family:
    """Any transitions, discount, policies; rewards chosen for small integer exponents."""

    def base(draw: Draw) -> NaturalStep:
        model = skeleton(draw, 0, 0)
        comparator = policy(draw, model)
        acting = covering_policy(draw, model, comparator)
        step = draw.choice((Fraction(1), Fraction(1, 2), Fraction(3)))
        values = [draw.integer(-3, 3) for _ in range(model.n_states)]
        exponents = [draw.integer(-4, 4) for _ in range(model.n_choices)]
        paid = paying(model, acting, values, exponents, step)
        return NaturalStep(paid, acting, comparator, step)

    return Family("natural gradient steps", base)


def long_step(discount: Fraction, length: int, value: int = 0, after: int = 0) -> NaturalStep:
    """One state with actions of advantage +1 and -1 (times 1 - gamma), left at once, and a long
    step: log Z is almost the step, and the gain almost 1 - gamma."""
    stay = [0, 1]
    model = from_arrays(
        [[stay, stay], [stay, stay]], [[0, 0]] * 2, discount=discount, initial=[1, 0]
    )
    half = Policy((Fraction(1, 2),) * 4)
    step = Fraction(length)
    exponents = [length, -length, 0, 0]
    paid = paying(model, half, [value, after], exponents, step)
    return NaturalStep(paid, half, Policy.deterministic(model, [0, 0]), step)


def primal_dual_runs() -> Family:
    """(model, T): one cost, Slater slack, rewards and costs in [0, 1], T a power of 4 up to 64."""
    whole = cmdps(constraints=(1, 1), slater=True, bounded_reward=True)

    def base(draw: Draw) -> CMDP:
        return scaled(whole.base(draw))

    def adopt(model: object) -> CMDP:
        if not isinstance(model, CMDP):
            raise OutOfScope(f"speaks of constrained MDPs, not of {type(model).__name__}")
        if model.n_states > _LARGEST:
            raise OutOfScope(f"iterates in ball arithmetic; done up to {_LARGEST} states")
        assert whole.adopt is not None
        fitted: CMDP = scaled(whole.adopt(model))
        if min(fitted.cost_vector(0).numerators) < 0:
            raise OutOfScope("needs non-negative costs")
        return fitted

    return Family("runs of the primal-dual method", base, extras=(_iterations,), adopt=adopt)


_LARGEST = 20
"""States up to which the method is run."""


def _iterations(draw: Draw, *_: object) -> int:
    return 4 ** draw.choice((1, 0, 2, 3))


def scaled(model: CMDP) -> CMDP:
    """Rewards, costs and budget divided so that they fit [0, 1], and the budget 1/(1 - gamma)."""
    reward, cost = model.reward_vector().fractions(), model.cost_vector(0).fractions()
    tops = [max(Fraction(1), *values) for values in (reward, cost)]
    budget = min(model.budgets[0] / tops[1], 1 / (1 - model.discount))
    paid = model.with_costs([[c / tops[1] for c in cost]], [budget])
    return paid.with_reward([r / tops[0] for r in reward])


def landmark_step(discount: Fraction, length: int, value: int = 0, after: int = 0) -> Case:
    """`long_step` as a case."""
    return (long_step(discount, length, value, after),)
