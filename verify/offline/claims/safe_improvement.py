"""Claims on improving on the policy of the data: exact, by enumeration of finite classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import flint
from sympy import Max, Rational, sqrt

from holdfast.solvers import Policy
from holdfast.solvers.hypergradient.balls import number
from holdfast.solvers.offline.critics import Form, bellman_error, critic, relative_value
from holdfast.solvers.offline.data_errors import data_errors, largest_weight_norm, unrealised
from holdfast.solvers.offline.no_regret import projected_gradient
from holdfast.solvers.offline.problems import OfflineProblem
from holdfast.solvers.offline.wsac import (
    Improvement,
    Run,
    Weights,
    gaps,
    mixture_return,
    safe_improvement,
    train,
)
from holdfast.theory import Ge, Le, Quantity, Relation
from holdfast.theory.offline import safe_improvement as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw, PhiloxDraw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ..families import problems as families
from ..landmarks import bandits as landmarks
from ..landmarks import extremal

Case = tuple[OfflineProblem, Fraction, Fraction, Form]
_EXTRAS = (families.multiplier, families.weight, families.form)


def _gains(case: OfflineProblem, policy: Policy) -> tuple[Fraction, Fraction]:
    """J_r and J_c of a policy less those of the behaviour policy."""
    return tuple(  # type: ignore[return-value]
        case.normalised_return(policy, signal) - case.normalised_return(case.behaviour, signal)
        for signal in ("reward", "cost")
    )


_WON = Quantity("won_wrong", "gain in reward of a changed algorithm")
_EXCESS = Quantity("excess_wrong", "gain in cost of a changed algorithm")
_LAM = theory.lam


def _changed(
    objective: Callable[[Case, Policy], Fraction], signal: str = "reward"
) -> Iterator[Values]:
    """What the policy of another objective gains, on forty drawn problems."""
    for index in range(40):
        case = families.problems().along(*_EXTRAS).draw(PhiloxDraw("changed", index))
        values = [objective(case, policy) for policy in case[0].policies]
        won, excess = _gains(case[0], case[0].policies[values.index(max(values))])
        yield {_WON: won} if signal == "reward" else {_EXCESS: excess, _LAM: case[1]}


def _reward(case: Case, policy: Policy, sign: int = 1) -> Fraction:
    problem, _, beta, form = case
    found = critic(problem, policy, "reward", beta, form, sign=sign)
    return relative_value(problem, policy, found)


def _cost(case: Case, policy: Policy, sign: int = -1) -> Fraction:
    problem, multiplier, beta, form = case
    found = critic(problem, policy, "cost", beta / multiplier, form, sign=sign)
    return multiplier * relative_value(problem, policy, found)


def _absolute(case: Case, policy: Policy) -> Fraction:
    """The least (1 - gamma) f(rho, pi) + beta E, which is pessimism without the data's policy."""
    problem, multiplier, beta, form = case

    def start(function: tuple[Fraction, ...]) -> Fraction:
        rho = problem.model.initial_vector().fractions()
        mean = sum((p * v for p, v in zip(rho, problem.under(function, policy), strict=True)),
                   Fraction(0))  # fmt: skip
        return (1 - problem.model.discount) * mean

    reward = min(problem.rewards, key=lambda f: start(f)
                 + beta * bellman_error(problem, policy, f, "reward", form))  # fmt: skip
    cost = min(problem.costs, key=lambda f: -start(f)
               + beta / multiplier * bellman_error(problem, policy, f, "cost", form))  # fmt: skip
    return start(reward) - multiplier * start(cost)


_CHANGED: tuple[tuple[str, Relation, str, Callable[[Case, Policy], Fraction], str], ...] = (
    ("M1", Ge(_WON, 0), "without the positive part", lambda c, p: _reward(c, p) - _cost(c, p),
     "reward"),
    ("M2", Le(Max(_EXCESS, 0), 1 / _LAM), "a cost critic that minimises +lam L",
     lambda c, p: _reward(c, p) - max(_cost(c, p, 1), Fraction(0)), "cost"),
    ("M5", Ge(_WON, 0), "pessimism that is not relative to the data", _absolute, "reward"),
    ("M6", Ge(_WON, 0), "a reward critic that minimises -L",
     lambda c, p: _reward(c, p, -1) - max(_cost(c, p), Fraction(0)), "reward"),
)  # fmt: skip


def _linear(draw: Draw, *_: object) -> Form:
    """A regulariser that makes a linear program."""
    return draw.choice(families.FORMS[::2])


@claim(
    theory.population,
    survivors={
        Le(theory.excess, 1 / theory.lam): "true: a gain in normalised reward is at most 1",
        Le(theory.cost, theory.cost_mu + 1): "true: J_c is at most 1",
    },
    over=families.problems(others=4)
    .along(*_EXTRAS)
    .with_landmarks(
        M7=lambda: landmarks.tempted(Fraction(5)),
        large=lambda: landmarks.tempted(Fraction(50)),
        small=landmarks.cheap,
    )
    .with_controls(
        realisable=families.problems(realisable=False).along(*_EXTRAS),
        behaviour=families.problems(behaviour_in_class=False).along(*_EXTRAS),
    ),
    mutants=(
        *(NamedMutant(name, relation, why, partial(_changed, objective, signal))
          for name, relation, why, objective, signal in _CHANGED),
        NamedMutant("M7", Le(theory.excess, 1 / _LAM**2), "1/lam^2 for 1/lam"),
        NamedMutant("M7-zero", Le(theory.excess, 0), "no excess at all"),
    ),
)  # fmt: skip
def population(
    case: OfflineProblem, multiplier: Fraction, beta: Fraction, form: Form
) -> Iterator[Values]:
    yield from _improved(case, multiplier, safe_improvement(case, multiplier, beta, form))


@claim(
    theory.population,
    over=families.problems().along(families.multiplier, families.weight, _linear),
    tag="boxes",
    little_power="pessimism over all functions in range is so strong that the answer is mostly the "
    "policy of the data itself",
)
def population_boxes(
    case: OfflineProblem, multiplier: Fraction, beta: Fraction, form: Form
) -> Iterator[Values]:
    """Critics over all functions in range: true linear programs, certified."""
    answer = safe_improvement(case, multiplier, beta, form, boxes=True)
    yield from _improved(case, multiplier, answer)


def _improved(case: OfflineProblem, multiplier: Fraction, answer: Improvement) -> Iterator[Values]:
    won, excess = _gains(case, case.policies[answer.best])
    cost = case.normalised_return(case.behaviour, "cost")
    for policy, believed in zip(case.policies, answer.believed, strict=True):
        gain, worse = _gains(case, policy)
        yield {
            theory.believed: believed,
            theory.gain: gain,
            theory.worse: max(worse, Fraction(0)),
            theory.won: won,
            theory.excess: max(excess, Fraction(0)),
            theory.cost: max(cost + excess, Fraction(0)),
            theory.cost_mu: max(cost, Fraction(0)),
            theory.lam: multiplier,
        }


def _misled() -> tuple[OfflineProblem, Fraction, Fraction, Policy]:
    found = landmarks.misled()
    return found.problem, found.multiplier, Fraction(2), found.start


@claim(
    theory.proof_line,
    over=families.problems()
    .along(families.multiplier, families.weight, families.member)
    .with_landmarks(misled=_misled),
    witness="misled",
    shows=lambda case, *_: {
        theory.unrealised: max(
            unrealised(case, case.policies, "reward"), unrealised(case, case.policies, "cost")
        ),
        theory.outside: int(case.behaviour not in case.policies),
    },
)
def proof_line(
    case: OfflineProblem, multiplier: Fraction, beta: Fraction, policy: Policy
) -> Iterator[Values]:
    f_r = critic(case, policy, "reward", beta)
    f_c = critic(case, policy, "cost", beta / multiplier)
    true_r, true_c = (
        relative_value(case, policy, case.action_values(policy, signal))
        for signal in ("reward", "cost")
    )
    yield {
        theory.true_objective: true_r - multiplier * max(true_c, Fraction(0)),
        theory.L_reward: relative_value(case, policy, f_r),
        theory.L_cost: relative_value(case, policy, f_c),
        theory.E_reward: bellman_error(case, policy, f_r, "reward"),
        theory.E_cost: bellman_error(case, policy, f_c, "cost"),
        theory.beta: beta,
        theory.lam: multiplier,
    }


_DATA, _FAILURE = 10**9, Fraction(1, 10)
"""N and delta of the literal reading's bound: its run does not depend on the data."""


def _rest(case: OfflineProblem, run: Run) -> flint.arb:
    """10 (beta + 1) epsilon_stat with beta = 2, F and G of one member, and all policies played."""
    members = len({*run.policies, case.behaviour}) * len(case.weights)
    log, n = number(members / _FAILURE).log(), _DATA
    norm, top = largest_weight_norm(case), max(map(max, case.weights))
    return 30 * number(case.horizon) * ((number(norm) * log / n).sqrt() + number(top) * log / n)


def _met(case: OfflineProblem, multiplier: Fraction, run: Run) -> Values:
    played = {*run.policies, case.behaviour}
    errors = (unrealised(case, tuple(played), signal) for signal in ("reward", "cost"))
    told = [x for payoff in run.payoffs for x in payoff]
    rounds = len(run.policies)
    sums = sum(run.payoffs[1:], run.payoffs[0])
    mean = sum((case.under(g, p).sum() for g, p in zip(run.payoffs, run.policies, strict=True)),
               Fraction(0))  # fmt: skip
    return {
        theory.outside: int(case.behaviour != case.reference),
        theory.unrealised: max(errors),
        theory.beta: 2,
        theory.lowest: min(told),
        theory.highest: max(told),
        theory.largest_regret: (max(sums) - mean) / rounds,
    }


def _singletons(draw: Draw) -> tuple[Fraction, ...]:
    """Rewards and costs of two actions, in tenths, and the probability of the first in mu."""
    tenths = [Fraction(draw.integer(0, 10), 10) for _ in range(2)]
    costs = [Fraction(draw.integer(-10, 10), 10) for _ in range(2)]
    return (*tenths, *costs, Fraction(draw.integer(0, 4), 4))


def _literal(draw: Draw) -> OfflineProblem:
    first, second, cost, other, mixed = _singletons(draw)
    return landmarks.problem((first, second), (cost, other), behaviour=mixed, reference=mixed)


def _hedged(draw: Draw, case: OfflineProblem, multiplier: Fraction) -> Run:
    weights = Weights(multiplier)
    return train(case, projected_gradient(Fraction(1, 10)), 8, weights, variant="paper")


def _one(*_: object) -> Fraction:
    return Fraction(1)


@claim(
    theory.literal_oracle,
    over=Family("bandits with F = {R}, G = {C}", _literal)
    .along(_one, _hedged)
    .with_landmarks(jensen=landmarks.jensen),
    witness="jensen",
    shows=_met,
)
def literal_oracle(case: OfflineProblem, multiplier: Fraction, run: Run) -> Iterator[Values]:
    lost = -_mixed(case, run, "reward")
    yield {
        theory.lost: lost,
        theory.eps_opt: gaps(case, run, multiplier).linear,
        theory.rest: Ball(partial(_rest, case, run)),
    }


def _mixed(case: OfflineProblem, run: Run, signal: str) -> Fraction:
    """J of the mixture less J of the behaviour policy."""
    name = "reward" if signal == "reward" else "cost"
    mixture = mixture_return(case, run.policies, name)  # type: ignore[arg-type]
    return mixture - case.normalised_return(case.behaviour, name)  # type: ignore[arg-type]


class Outcome(NamedTuple):
    """A run on data, with what the bounds speak of, exact: the phi regret, the errors of the data
    for rewards and costs (L, E), and that of realisability, all for what was played."""

    run: Run
    phi: Fraction
    rewards: tuple[Fraction, Fraction]
    costs: tuple[Fraction, Fraction]
    unrealised: Fraction


def outcome(
    truth: OfflineProblem, seen: OfflineProblem, weights: Weights, start: Policy, rounds: int
) -> Outcome:
    """WSAC with the concave payoffs and a projected gradient."""
    rate = 1 / (truth.horizon * (1 + 2 * weights.multiplier))
    run = train(seen, projected_gradient(rate), rounds, weights, start=start)
    played = tuple(dict.fromkeys((*run.policies, truth.behaviour, truth.reference)))
    missing = max(unrealised(truth, played, "reward"), unrealised(truth, played, "cost"))
    errors = (data_errors(truth, seen, run.policies, "reward"),
              data_errors(truth, seen, run.policies, "cost"))  # fmt: skip
    return Outcome(run, gaps(truth, run, weights.multiplier).phi, *errors, missing)


_EXTREMAL = extremal.behaviour_cases()
POSITIVE = "true: (phi + V)/lam is at least 0, and so is what is added to it"
SMALL = "true or not known to be false: weaker where eps_L, eps_E or eps1 is at most 1"


def _lost(first: Any = 2 * theory.eps_L, inner: Any = theory.eps1) -> Relation:
    error = theory.beta_r * (theory.eps_E + sqrt(theory.C2 * inner))
    return Le(theory.lost, theory.phi + first + error + 2 * sqrt(theory.eps1))


def _added(
    first: Any = 2 * theory.eps_Lc, inner: Any = theory.eps1, times: Any = 1, share: Any = 1
) -> Relation:
    error = theory.beta_c * (theory.eps_Ec + sqrt(theory.C2 * inner)) + 2 * sqrt(theory.eps1)
    regret = share * ((theory.phi + theory.V) / theory.lam)
    return Le(times * theory.added, regret + first + error)


@claim(
    theory.samples,
    over=families.perturbed_problems(reference="behaviour")
    .along(*families.SAMPLED)
    .with_landmarks(**{name: partial(_EXTREMAL.__getitem__, name) for name in _EXTREMAL})
    .with_controls(same=families.perturbed_problems().along(*families.SAMPLED)),
    survivors={
        **dict.fromkeys((_lost(first=2), _lost(inner=1), _added(first=2), _added(inner=1)), SMALL),
        _added(times=Rational(9, 10)): POSITIVE,
        _added(share=Rational(11, 10)): POSITIVE,
    },
)
def samples(
    truth: OfflineProblem, seen: OfflineProblem, weights: Weights, start: Policy, rounds: int
) -> Iterator[Values]:
    found = outcome(truth, seen, weights, start, rounds)
    reference = truth.reference
    yield {
        theory.lost: truth.normalised_return(reference, "reward")
        - mixture_return(truth, found.run.policies, "reward"),
        theory.added: mixture_return(truth, found.run.policies, "cost")
        - truth.normalised_return(reference, "cost"),
        theory.V: truth.horizon,
        theory.C2: largest_weight_norm(truth),
        theory.phi: found.phi,
        theory.lam: weights.multiplier,
        theory.beta_r: weights.reward,
        theory.beta_c: weights.cost,
        theory.eps1: found.unrealised,
        theory.eps_L: found.rewards[0],
        theory.eps_E: found.rewards[1],
        theory.eps_Lc: found.costs[0],
        theory.eps_Ec: found.costs[1],
    }
