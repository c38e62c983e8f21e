"""Families for natural gradient steps on softmax policies, and for the method that takes them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from holdfast.solvers import CMDP, Policy, from_arrays, most_feasible

from ...binding.draws import Draw
from ...binding.family import Case, Family, OutOfScope
from .cmdps import cmdps, covering_policy, policy, skeleton, with_budgets


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
    """(model, T): one cost, Slater slack, rewards and costs in [0, 1].

    A bound with 1/((1 - gamma)^2 sqrt(T)) says nothing of patient models before millions of steps,
    so two models of three have discount 0; T is a square, and mostly large enough for the bounds.
    """
    whole = cmdps(constraints=(1, 1), slater=True, bounded_reward=True)

    def base(draw: Draw) -> CMDP:
        model = skeleton(draw, 1, 0)
        if draw.integer(0, 2):
            model = model.with_discount(0)
        return scaled(with_budgets(draw, model, slater=True, feasible=True))

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
"""States up to which the method is run, several hundred iterations with a linear system in each."""


_LONGEST = 400
"""Iterations in one run: a tenth of a second on a model of four states; the bound on the violation
says something from 121 on, for a slack of about 2/5."""


def _iterations(draw: Draw, model: CMDP, *_: object) -> int:
    """Enough for the bound on the violation to be below what no policy exceeds, where that is not
    too long; else, or now and then, few."""
    least = telling_iterations(model)
    if least > _LONGEST or draw.integer(0, 9) == 0:
        return 4 ** draw.choice((1, 0, 2, 3))
    return least


def telling_iterations(model: CMDP) -> int:
    """The least square T with (2/xi + 4 xi)/((1 - gamma)^2 sqrt(T)) < 1/(1 - gamma) - xi, with the
    bound on the gap, 7/((1 - gamma)^2 sqrt(T)) < 1/(1 - gamma); a number beyond all limits where
    there is none."""
    slack, rest = most_feasible(model).slack, 1 - model.discount
    if not 0 < slack < 1 / rest:
        return _LONGEST + 1
    roots = (2 / slack + 4 * slack) / (rest - rest**2 * slack), 7 / rest
    return (int(max(roots)) + 1) ** 2


def scaled(model: CMDP) -> CMDP:
    """Rewards, costs and budget divided so that they fit [0, 1], and the budget 1/(1 - gamma).

    Costs that are all the same are halved once more, so that there is room for slack.
    """
    reward, cost = model.reward_vector().fractions(), model.cost_vector(0).fractions()
    tops = [max(Fraction(1), *values) for values in (reward, cost)]
    if len(set(cost)) == 1:
        tops[1] *= 2
    budget = min(model.budgets[0] / tops[1], 1 / (1 - model.discount))
    paid = model.with_costs([[c / tops[1] for c in cost]], [budget])
    return paid.with_reward([r / tops[0] for r in reward])


def landmark_step(discount: Fraction, length: int, value: int = 0, after: int = 0) -> Case:
    """`long_step` as a case."""
    return (long_step(discount, length, value, after),)
