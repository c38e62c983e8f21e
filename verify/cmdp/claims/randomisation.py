"""Claims on how much an optimal policy has to randomise, and what its randomising means."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from holdfast.solvers import CMDP, Policy, from_arrays, occupancy_of, policy_return
from holdfast.solvers.cmdp.coordinate_vertex import reduce_policy
from holdfast.theory import Eq, Le
from holdfast.theory.cmdp import randomisation

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Case, Family, OutOfScope
from ...binding.values import Values
from .. import landmarks
from ..families import cmdps
from ..families.cmdps import deterministic_policy, policy
from .duality import optimum
from .foundations import state_masses

M8 = NamedMutant(
    "M8",
    Le(randomisation.N_random, randomisation.m_constraints - 1),
    "one randomisation fewer than constraints is always enough",
)
M10 = NamedMutant("M10", Eq(randomisation.N_random, 0), "a deterministic policy is always optimal")


def _from_a_basis(draw: Draw, *_: object) -> None:
    """No policy given: the claim takes the basic solution's."""
    del draw


def _uniform_on_a_tie() -> Family:
    """One state, two equal actions, no constraint, and the uniform policy, which is optimal."""

    def base(draw: Draw) -> CMDP:
        discount = Fraction(draw.integer(0, 9), 10)
        return from_arrays([[[1], [1]]], [[1, 1]], discount=discount)

    return Family("ties", base, extras=(lambda _, model: Policy.uniform(model),))


@claim(
    randomisation.few_randomisations,
    over=cmdps(constraints=(0, 3))
    .along(_from_a_basis)
    .with_landmarks(
        G1=lambda: (landmarks.g1(),),
        kink=lambda: (landmarks.g1(1),),
        G2=lambda: (landmarks.g2(),),
    )
    .with_controls(basic=_uniform_on_a_tie()),
    mutants=(M8, M10),
)
def few_randomisations(model: CMDP, acting: Policy | None) -> Iterator[Values]:
    best, _ = optimum(model)
    chosen = acting or best.policy
    assert chosen is not None
    rho = occupancy_of(model, chosen).fractions()
    visited = [s for s, mass in enumerate(state_masses(model, rho)) if mass]
    costs = [
        sum(
            (x * c for x, c in zip(rho, model.cost_vector(i).fractions(), strict=True)), Fraction(0)
        )
        for i in range(model.n_constraints)
    ]
    yield {
        randomisation.N_random: chosen.n_randomisations(model, visited),
        randomisation.B_binding: sum(c == d for c, d in zip(costs, model.budgets, strict=True)),
        randomisation.m_constraints: model.n_constraints,
    }


_REDUCIBLE = 100
"""States up to which a policy is reduced, state by state, with a linear system in fractions for
each: twice as many states take sixteen times as long or more."""


def cost_discount(draw: Draw, *_: object) -> Fraction:
    """A discount for the cost, its own."""
    return draw.choice((Fraction(1, 2), Fraction(0), Fraction(3, 4), Fraction(9, 10)))


def _returns_under(model: CMDP, acting: Policy, discount: Fraction) -> tuple[Fraction, Fraction]:
    cost = policy_return(model.with_discount(discount), acting, ("cost", 0))
    return policy_return(model, acting), cost


@claim(
    randomisation.coordinate_vertex,
    over=cmdps(constraints=(1, 1), feasible=None)
    .along(policy, cost_discount)
    .with_landmarks(negative=lambda: (landmarks.negative_cost(Fraction(0)),)),
)
def coordinate_vertex(model: CMDP, acting: Policy, discount: Fraction) -> Iterator[Values]:
    if model.n_states > _REDUCIBLE:
        raise OutOfScope(
            f"a dense exact solve for each of {model.n_states} states; done up to {_REDUCIBLE}"
        )
    reduced = reduce_policy(model, acting, discount)
    start = model.choice_start.tolist()
    used = [sum(1 for p in reduced.probabilities[a:b] if p) for a, b in pairwise(start)]
    before, after = (_returns_under(model, one, discount) for one in (acting, reduced))
    yield {
        randomisation.n_actions: max(used),
        randomisation.J_before: before[0],
        randomisation.J_after: after[0],
        randomisation.cost_before: before[1],
        randomisation.cost_after: after[1],
    }


def one_random_state(draw: Draw, model: CMDP, *_: object) -> Policy:
    """A policy that randomises between two actions in at most one state."""
    return _randomised(draw, model, 1)


def two_random_states(draw: Draw, model: CMDP, *_: object) -> Policy:
    """A policy that randomises in two states, where the model has them."""
    return _randomised(draw, model, 2)


def _randomised(draw: Draw, model: CMDP, states: int) -> Policy:
    probabilities = list(deterministic_policy(draw, model).probabilities)
    start = model.choice_start.tolist()
    wide = [s for s in range(model.n_states) if start[s + 1] - start[s] > 1]
    for state in draw.shuffle(wide)[:states]:
        p = Fraction(draw.integer(1, 5), 6)
        first = start[state]
        probabilities[first : start[state + 1]] = [p, 1 - p] + [Fraction(0)] * (
            start[state + 1] - first - 2
        )
    return Policy(tuple(probabilities))


def resolutions(model: CMDP, acting: Policy) -> tuple[int, int, Policy, Policy] | None:
    """(state, first action's choice, policies with first and second action in every such state)."""
    start = model.choice_start.tolist()
    ends: list[list[Fraction]] = [list(acting.probabilities), list(acting.probabilities)]
    found: tuple[int, int] | None = None
    for s in range(model.n_states):
        used = [k for k in range(start[s], start[s + 1]) if acting.probabilities[k]]
        if len(used) > 1:
            found = found or (s, used[0])
            for end, kept in zip(ends, used[:2], strict=True):
                for k in used:
                    end[k] = Fraction(int(k == kept))
    return None if found is None else (*found, Policy(tuple(ends[0])), Policy(tuple(ends[1])))


def _coin() -> Case:
    """Stay or go round: x_1 = 2 and x_2 = 4/3 differ, so q is not p."""
    model = from_arrays(
        [[[1, 0], [0, 1]], [[1, 0], [1, 0]]],
        [[1, 0], [0, 0]],
        discount=Fraction(1, 2),
        initial=[1, 0],
    )
    return model, Policy((Fraction(1, 3), Fraction(2, 3), Fraction(1), Fraction(0)))


@claim(
    randomisation.splitting,
    over=cmdps(constraints=(0, 0))
    .along(one_random_state)
    .with_landmarks(coin=_coin)
    .with_controls(one_state=cmdps(constraints=(0, 0)).along(two_random_states)),
    mutants=(
        NamedMutant(
            "M9",
            Eq(randomisation.p_action, randomisation.q_split),
            "the episode flips with the same probability",
        ),
    ),
)
def splitting(model: CMDP, acting: Policy) -> Iterator[Values]:
    resolved = resolutions(model, acting)
    if resolved is None:
        return
    state, choice, first, second = resolved
    rho, rho_1, rho_2 = (occupancy_of(model, one).fractions() for one in (acting, first, second))
    x_1, x_2 = (state_masses(model, mass)[state] for mass in (rho_1, rho_2))
    if not x_1 or not x_2:
        return
    q = rho[choice] / x_1
    mixed = (q * a + (1 - q) * b for a, b in zip(rho_1, rho_2, strict=True))
    yield {
        randomisation.p_action: acting.probabilities[choice],
        randomisation.q_split: q,
        randomisation.x_first: x_1,
        randomisation.x_second: x_2,
        randomisation.distance: sum(
            (abs(a - b) for a, b in zip(rho, mixed, strict=True)), Fraction(0)
        ),
    }
