"""Offline problems of up to four states, with small finite classes, and what runs are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from holdfast.solvers import CMDP, Policy
from holdfast.solvers.offline.critics import Form
from holdfast.solvers.offline.problems import Function, OfflineProblem, with_action_values
from holdfast.solvers.offline.wsac import Run, Variant, Weights, payoff

from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope
from ...cmdp.families.cmdps import covering_policy, deterministic_policy, policy, skeleton

MULTIPLIERS = tuple(map(Fraction, ("5", "1", "2", "1/10", "1/2", "20", "50")))
BETAS = tuple(map(Fraction, ("2", "0", "1/2", "10", "50")))
FORMS: tuple[Form, ...] = ("weighted", "squared", "box")


def model(draw: Draw) -> CMDP:
    """One cost in [-1, 1] with threshold 0, rewards in [0, 1]."""
    found = skeleton(draw, 1, 0)
    rewards = [r / 5 for r in found.reward_vector().fractions()]
    costs = [2 * c / 5 - 1 for c in found.cost_vector(0).fractions()]
    return found.with_reward(rewards).with_costs([costs], [0])


def _functions(draw: Draw, size: int, scale: Fraction, lowest: int) -> tuple[Function, ...]:
    return tuple(
        tuple(scale * Fraction(draw.integer(lowest, 4), 4) for _ in range(size))
        for _ in range(draw.integer(1, 2))
    )


def problem(
    draw: Draw,
    *,
    realisable: bool = True,
    behaviour_in_class: bool = True,
    reference: str = "covered",
    weighted: bool = True,
    others: int = 1,
) -> OfflineProblem:
    """A problem: Pi has the reference, `others` or one more, and the behaviour policy.

    realisable: F and G have Q of all of Pi, beside some other functions; reference: any policy that
    the data cover, "deterministic", or the "behaviour" policy itself; weighted: W has
    d^ref/mu, beside 1 and some others (or 1 alone).
    """
    found = model(draw)
    chosen = deterministic_policy if reference == "deterministic" else policy
    target = chosen(draw, found)
    behaviour = target if reference == "behaviour" else covering_policy(draw, found, target)
    drawn_others = [policy(draw, found) for _ in range(draw.integer(others, others + 1))]
    members = dict.fromkeys([target, *drawn_others, *([behaviour] if behaviour_in_class else [])])
    if not behaviour_in_class:
        members.pop(behaviour, None)
    if not members:
        raise OutOfScope("the one policy drawn is that of the data")
    size, top = found.n_choices, 1 / (1 - found.discount)
    ones = (Fraction(1),) * size
    more = _functions(draw, size, Fraction(2), 0) if weighted else ()
    drawn = OfflineProblem(
        found, behaviour, target, tuple(members), weights=(ones, *more),
        rewards=_functions(draw, size, top, 0), costs=_functions(draw, size, top, -4),
    )  # fmt: skip
    drawn = with_action_values(drawn) if realisable else drawn
    return drawn.with_reference_weights() if weighted else drawn


def problems(
    *, realisable: bool = True, behaviour_in_class: bool = True, others: int = 1
) -> Family:
    """Offline problems, as `problem` draws them."""

    def base(draw: Draw) -> OfflineProblem:
        return problem(draw, realisable=realisable, behaviour_in_class=behaviour_in_class,
                       others=others)  # fmt: skip

    return Family("offline problems with finite classes", base)


def member(draw: Draw, case: OfflineProblem, *_: object) -> Policy:
    """A policy of Pi."""
    return draw.choice(case.policies)


def multiplier(draw: Draw, *_: object) -> Fraction:
    """lambda."""
    return draw.choice(MULTIPLIERS)


def weight(draw: Draw, *_: object) -> Fraction:
    """beta, 0 included."""
    return draw.choice(BETAS)


def positive_weight(draw: Draw, *_: object) -> Fraction:
    """beta above 0."""
    return draw.choice(tuple(map(Fraction, ("2", "1/10", "1/2", "10"))))


def weights(betas: tuple[Fraction, ...]) -> Callable[..., Weights]:
    """lambda and both beta, from those given."""

    def drawn(draw: Draw, *_: object) -> Weights:
        return Weights(draw.choice(MULTIPLIERS), draw.choice(betas), draw.choice(betas))

    return drawn


def form(draw: Draw, *_: object) -> Form:
    """The regulariser."""
    return draw.choice(FORMS)


def drawn_policy(draw: Draw, case: OfflineProblem, *_: object) -> Policy:
    """Any policy."""
    return policy(draw, case.model)


def drawn_function(draw: Draw, case: OfflineProblem, *_: object) -> Function:
    """Any function on the choices, with values in [-2, 2]."""
    return tuple(Fraction(draw.integer(-4, 4), 2) for _ in range(case.model.n_choices))


def data(draw: Draw, case: OfflineProblem, *_: object) -> OfflineProblem:
    """The problem seen through few data that mu can give, or (one time in three) the population."""
    if draw.integer(0, 2) == 0:
        return case
    counts = np.zeros((case.model.n_choices, case.model.n_states), dtype=int)
    for k in range(case.model.n_choices):
        for t in case.model.weighted_row(k):
            counts[k, t] = draw.integer(0, 3) if case.law[k] else 0
    if not counts.any():
        return case
    return case.empirical(counts.tolist())


def start(draw: Draw, truth: OfflineProblem, *_: object) -> Policy:
    """pi_1."""
    return policy(draw, truth.model)


def few(draw: Draw, *_: object) -> int:
    """Rounds."""
    return draw.integer(1, 3)


LARGE, SMALL = tuple(map(Fraction, ("2", "5/2", "10"))), tuple(map(Fraction, ("1/10", "0", "1")))
"""beta of at least 2, and below: such as 2/lambda, the paper's for its cost critic."""
SAMPLED = (data, weights(BETAS), start, few)


def sampled_problems() -> Family:
    """Problems whose data law is no occupancy, but that of a few data."""
    return Family("offline problems and data", lambda draw: data(draw, problem(draw)))


def perturbed(draw: Draw, case: OfflineProblem) -> OfflineProblem:
    """The problem, at times with all rewards' and costs' functions a little off: realisable with
    an error."""
    off = draw.choice((Fraction(0), Fraction(1, 50), Fraction(1, 5)))
    if not off:
        return case
    top = case.horizon

    def moved(f: Function, low: Fraction) -> Function:
        return tuple(min(max(x + off * draw.integer(-1, 1), low), top) for x in f)

    return replace(
        case,
        rewards=tuple(moved(f, Fraction(0)) for f in case.rewards),
        costs=tuple(moved(f, -top) for f in case.costs),
    )


def perturbed_problems(*, reference: str = "covered", weighted: bool = True) -> Family:
    """Problems whose classes have the action values up to an error."""

    def base(draw: Draw) -> OfflineProblem:
        return perturbed(draw, problem(draw, reference=reference, weighted=weighted))

    return Family("offline problems, nearly realisable", base)


def rounds(variant: Variant, scale: int = 1) -> Callable[..., Run]:
    """Rounds of any policies and critics: bounds that speak of the oracle's regret need no more.

    scale: of the reward critics, which leave their range where it is not 1.
    """

    def drawn(draw: Draw, case: OfflineProblem, weight: Fraction, *_: object) -> Run:
        played = tuple(policy(draw, case.model) for _ in range(draw.integer(1, 3)))
        rewards = tuple(tuple(scale * x for x in draw.choice(case.rewards)) for _ in played)
        costs = tuple(draw.choice(case.costs) for _ in played)
        told = tuple(
            payoff(case, pi, f_r, f_c, weight, variant)
            for pi, f_r, f_c in zip(played, rewards, costs, strict=True)
        )
        return Run(played, rewards, costs, told)

    return drawn
