"""Claims on occupancies of constrained MDPs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from holdfast.solvers import CMDP, Policy, occupancy_of, policy_return, solve
from holdfast.theory import Eq
from holdfast.theory.cmdp import foundations

from ...binding.claims import NamedMutant, claim
from ...binding.values import Values
from .. import landmarks
from ..families import Branch, branches, cmdps
from ..families.cmdps import deterministic_policy, policy, share


def flow_residual(model: CMDP, rho: Sequence[Fraction]) -> Fraction:
    """l1 norm of sum_a rho(s, a) - gamma sum P rho - mu over the states."""
    residual = [-p for p in model.initial_vector().fractions()]
    for k, state in enumerate(model.choice_states.tolist()):
        if rho[k]:
            residual[state] += rho[k]
            for t, p in model.transition_row(k):
                residual[t] -= model.discount * p * rho[k]
    return sum(map(abs, residual), Fraction(0))


def state_masses(model: CMDP, rho: Sequence[Fraction]) -> list[Fraction]:
    """sum_a rho(s, a) for each state."""
    masses = [Fraction(0)] * model.n_states
    for k, state in enumerate(model.choice_states.tolist()):
        masses[state] += rho[k]
    return masses


def induced_policy(model: CMDP, rho: Sequence[Fraction]) -> Policy:
    """rho conditioned on the state; the first action where rho has no mass."""
    masses = state_masses(model, rho)
    start = model.choice_start.tolist()
    return Policy(
        tuple(
            rho[k] / masses[s] if masses[s] else Fraction(int(k == start[s]))
            for k, s in enumerate(model.choice_states.tolist())
        )
    )


@claim(
    foundations.occupancy_measure,
    over=cmdps(constraints=(0, 0)).along(policy).with_landmarks(G1=lambda: (landmarks.g1(),)),
)
def occupancy_measure(model: CMDP, acting: Policy) -> Iterator[Values]:
    rho = occupancy_of(model, acting).fractions()
    yield {
        foundations.gamma: model.discount,
        foundations.mass: sum(rho, Fraction(0)),
        foundations.residual: flow_residual(model, rho),
    }


@claim(
    foundations.stationary_suffices,
    over=cmdps(constraints=(0, 0)).along(policy, deterministic_policy, share),
)
def stationary_suffices(
    model: CMDP, first: Policy, second: Policy, weight: Fraction
) -> Iterator[Values]:
    occupancies = [occupancy_of(model, acting).fractions() for acting in (first, second)]
    mixed = [weight * a + (1 - weight) * b for a, b in zip(*occupancies, strict=True)]
    yield {
        foundations.weight: weight,
        foundations.J_first: policy_return(model, first),
        foundations.J_second: policy_return(model, second),
        foundations.J_induced: policy_return(model, induced_policy(model, mixed)),
    }


@claim(
    foundations.vertices_are_deterministic,
    over=cmdps(constraints=(0, 0)).with_controls(
        unconstrained=cmdps(constraints=(2, 2)),
    ),
)
def vertices_are_deterministic(model: CMDP) -> Iterator[Values]:
    best = solve(model)
    assert best.occupancy is not None
    rho = best.occupancy.fractions()
    yield {
        foundations.n_positive: sum(1 for mass in rho if mass),
        foundations.n_reachable: sum(1 for mass in state_masses(model, rho) if mass),
    }


M30 = NamedMutant(
    "M30",
    Eq(foundations.p_first, foundations.p_second),
    "a policy optimal for one initial law is optimal for every other",
)


@claim(foundations.time_inconsistency, over=branches(), mutants=(M30,))
def time_inconsistency(branch: Branch) -> Iterator[Values]:
    risks = []
    for start in (0, 1):
        best = solve(landmarks.risky_branch(branch.q, branch.discount, branch.budget, start))
        assert best.policy is not None
        risks.append(best.policy.probabilities[2])
    yield {
        foundations.gamma: branch.discount,
        foundations.q_reach: branch.q,
        foundations.d_budget: branch.budget,
        foundations.p_first: risks[0],
        foundations.p_second: risks[1],
    }
