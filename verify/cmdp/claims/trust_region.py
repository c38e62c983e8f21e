"""Claims on what a change of policy does: trust-region bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

import flint
from sympy import Abs

from holdfast.solvers import CMDP, Policy, evaluate, from_arrays, occupancy_of
from holdfast.solvers.cmdp.policy_change import PolicyChange, covers, policy_change
from holdfast.theory import Le, Quantity
from holdfast.theory.cmdp import trust_region as tr

from ...binding.balls import to_arb
from ...binding.claims import NamedMutant, claim
from ...binding.family import Case, OutOfScope
from ...binding.values import Ball, Value, Values
from .. import landmarks
from ..families import cmdps
from ..families.cmdps import baseline, covering_policy, nearby_policy, policy

_MODELS = cmdps(constraints=(1, 1), feasible=None)
_CHANGES = _MODELS.along(policy, covering_policy, baseline)
_UNCOVERED = _MODELS.along(policy, policy, baseline)
_SHARP = _CHANGES.with_landmarks(
    sharp=landmarks.sharp_change,
    patient=lambda: landmarks.sharp_change(discount=Fraction(99, 100)),
    rich=lambda: landmarks.sharp_change(scale=3, bonus=Fraction(-3, 2)),
).with_controls(continuous=_UNCOVERED)


def _returns(change: PolicyChange) -> Values:
    return {tr.J_old: change.old_return, tr.J_new: change.new_return}


@claim(tr.performance_difference, over=_MODELS.along(policy, policy))
def performance_difference(model: CMDP, new: Policy, old: Policy) -> Iterator[Values]:
    values = evaluate(model, old).fractions()
    change = policy_change(model, old, new, values)
    pairs = zip(change.new_distribution, change.mean_delta, strict=True)
    yield {
        tr.gamma: model.discount,
        **_returns(change),
        tr.advantage: sum((d * a for d, a in pairs), Fraction(0)),
    }


@claim(
    tr.occupancy_shift,
    over=_MODELS.along(policy, nearby_policy).with_landmarks(
        sharp=lambda: landmarks.sharp_change()[:3]
    ),
)
def occupancy_shift(model: CMDP, new: Policy, old: Policy) -> Iterator[Values]:
    change = policy_change(model, old, new, [0] * model.n_states)
    yield {
        tr.gamma: model.discount,
        tr.shift: change.shift,
        tr.tv: change.mean_total_variation,
    }


eta = Quantity("eta", "largest expected raw cost of the new policy, max_s E_new[c]")
_ERROR = tr.J_new - tr.J_old - tr.surrogate / (1 - tr.gamma)


def _raw_cost() -> Iterator[Values]:
    given = landmarks.raw_cost_blind()
    quantities = (tr.J_old, tr.J_new, tr.surrogate, eta, tr.tv, tr.gamma)
    yield {quantity: given[quantity.name] for quantity in quantities}


_NAMED = (
    NamedMutant(
        "M12",
        Le(Abs(_ERROR), tr.gamma * tr.epsilon * tr.tv / (1 - tr.gamma) ** 2),
        "the constant is 1",
    ),
    NamedMutant(
        "M12'",
        Le(Abs(_ERROR), 2 * tr.gamma * tr.epsilon * tr.tv / (1 - tr.gamma)),
        "one factor 1/(1 - gamma) is enough",
    ),
    NamedMutant(
        "M13",
        Le(_ERROR, 2 * tr.gamma * eta * tr.tv / (1 - tr.gamma) ** 2),
        "the raw cost may stand in for the advantage",
        _raw_cost,
    ),
)


@claim(
    tr.policy_bound,
    over=_SHARP,
    mutants=_NAMED,
)
def policy_bound(model: CMDP, new: Policy, old: Policy, f: tuple[int, ...]) -> Iterator[Values]:
    change = policy_change(model, old, new, f)
    yield {**_bound(model, change), tr.epsilon: change.max_delta}


@claim(
    tr.span_bound,
    over=_SHARP,
)
def span_bound(model: CMDP, new: Policy, old: Policy, f: tuple[int, ...]) -> Iterator[Values]:
    change = policy_change(model, old, new, f)
    yield {**_bound(model, change), tr.span: change.span_delta}


def _bound(model: CMDP, change: PolicyChange) -> Values:
    return {
        tr.gamma: model.discount,
        **_returns(change),
        tr.surrogate: change.surrogate,
        tr.tv: change.mean_total_variation,
    }


def mean_kl(model: CMDP, new: Policy, old: Policy) -> Value:
    """E_{s ~ d_old} KL(new || old)[s], zero exactly where the policies agree."""
    rho = occupancy_of(model, old).fractions()
    masses = [Fraction(0)] * model.n_states
    for k, s in enumerate(model.choice_states.tolist()):
        masses[s] += (1 - model.discount) * rho[k]
    terms = [
        (masses[s] * q, q / p)
        for s, p, q in zip(
            model.choice_states.tolist(), old.probabilities, new.probabilities, strict=True
        )
        if q and q != p and masses[s]
    ]
    if not terms:
        return Fraction(0)
    return Ball(
        lambda: sum((to_arb(weight) * to_arb(ratio).log() for weight, ratio in terms), flint.arb(0))
    )


def sharp_advantage(direction: int, discount: Fraction, bonus: int = 0) -> Case:
    """(model, new, old) sharp for the KL bounds; direction +1 goes to the good state, -1 to the
    bad.

    0 -> g or b, each with probability 1/2 under old; new shifts t = direction/100.  In g and b two
    actions pay M + K and M - K, half each under old; new leans by 1e-6 so that its mean advantage
    is +3 in g and -3 in b.  So L = 0, abs(J' - J) = 6 gamma abs(t)/(1 - gamma), and the bound is
    that over sqrt(1 - gamma), up to second order.  M = -10 in every state makes all returns
    negative; a bonus for going to g makes L = (1 - gamma) t bonus, which both sides count alike.
    """
    t, lean = Fraction(direction, 100), Fraction(1, 10**6)
    pay = 3 / (2 * lean)
    stay_g, stay_b = [0, 1, 0], [0, 0, 1]
    reward = [[bonus - 10, -10], [pay - 10, -pay - 10], [pay - 10, -pay - 10]]
    model = from_arrays(
        [[stay_g, stay_b], [stay_g, stay_g], [stay_b, stay_b]],
        reward,
        [reward],
        [0],
        discount=discount,
        initial=[1, 0, 0],
    )
    half = Fraction(1, 2)
    new = Policy((half + t, half - t, half + lean, half - lean, half - lean, half + lean))
    return model, new, Policy((half,) * 6)


def _sharp(direction: int, bonus: int = 0) -> dict[str, Callable[[], Case]]:
    return {
        f"sharp{top}": partial(sharp_advantage, direction, Fraction(top, 100), bonus)
        for top in (1, 50, 90, 99)
    }


_KL = _MODELS.along(policy, covering_policy)
_DOWN = _KL.with_landmarks(**_sharp(-1))
_UP = _KL.with_landmarks(**_sharp(+1))


def _advantages(model: CMDP, new: Policy, old: Policy, cost: bool = False) -> PolicyChange:
    if not covers(old, new):
        raise OutOfScope("the new policy takes an action that the old one never takes")
    function = model.cost_vector(0) if cost else model.reward_vector()
    values = evaluate(model, old, function).fractions()
    return policy_change(model, old, new, values, function.fractions())


@claim(
    tr.kl_bound,
    over=_KL.with_landmarks(
        **_sharp(-1, bonus=100),
        malus=lambda: sharp_advantage(-1, Fraction(1, 2), bonus=-100),
    ),
)
def kl_bound(model: CMDP, new: Policy, old: Policy) -> Iterator[Values]:
    change = _advantages(model, new, old)
    yield {
        tr.gamma: model.discount,
        **_returns(change),
        tr.surrogate: change.surrogate,
        tr.epsilon: change.max_delta,
        tr.kl: mean_kl(model, new, old),
    }


@claim(tr.worst_case_drop, over=_DOWN)
def worst_case_drop(model: CMDP, new: Policy, old: Policy) -> Iterator[Values]:
    change = _advantages(model, new, old)
    if change.surrogate < 0:
        return
    yield {
        tr.gamma: model.discount,
        **_returns(change),
        tr.epsilon: change.max_delta,
        tr.kl: mean_kl(model, new, old),
    }


@claim(tr.worst_case_violation, over=_UP)
def worst_case_violation(model: CMDP, new: Policy, old: Policy) -> Iterator[Values]:
    change = _advantages(model, new, old, cost=True)
    yield {
        tr.gamma: model.discount,
        tr.cost_new: change.new_return,
        tr.d_step: change.old_return + change.surrogate / (1 - model.discount),
        tr.epsilon: change.max_delta,
        tr.kl: mean_kl(model, new, old),
    }
