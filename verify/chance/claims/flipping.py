"""Claims on flipping policies under window constraints, as printed and repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from holdfast.solvers import CMDP, Policy, solve_linear_program
from holdfast.solvers.chance.mixtures import (
    Atom,
    atom_program,
    best_pair,
    best_single,
    dual_value,
    level_value,
    reduce_to_two,
)
from holdfast.solvers.chance.windows.flips import (
    FlippingPolicy,
    best_deterministic,
    best_flipping,
    flip_certificates,
    state_atoms,
)
from holdfast.solvers.chance.windows.optimum import WindowOptimum, solve_windows
from holdfast.solvers.chance.windows.problem import (
    WindowProblem,
    action_risks,
    excess_risk,
    window_risks,
)
from holdfast.theory import Eq, Gt, Quantity
from holdfast.theory.chance import flipping as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope
from ...binding.proofs import Proved, largest
from ...binding.values import ClaimError, Values
from ...cmdp.families.cmdps import policy
from ..families.mixtures import Atoms, atom_weights, atoms
from ..families.windows import watched_models, windows
from ..landmarks.windows import Y, ce1, four_actions

Found = TypeVar("Found")


def found_in(problem: WindowProblem, best: Found | None, what: str) -> Found:
    """What a solver found.

    Raises
    ------
    ClaimError: if it found nothing though the first action of each state, or the one that is safest
        in the next step, meets every window: the families promise that one of them does.
    OutOfScope: if it found nothing and neither does, as may be in a model of the user.
    """
    if best is not None:
        return best
    risks = action_risks(problem, [Fraction(0)] * problem.model.n_states)
    spans = [problem.choices(s) for s in range(problem.model.n_states)]
    safest = [min(span, key=lambda k: risks[k]) for span in spans]
    for chosen in ([span.start for span in spans], safest):
        if excess_risk(problem, Policy.of_choices(problem.model, chosen)) <= 0:
            raise ClaimError(f"{what} was not found, but the choices {chosen} meet every window")
    raise OutOfScope(f"no policy that meets every window is known, and {what} was not found")


def solved(problem: WindowProblem) -> WindowOptimum:
    """The optimum; raises as `found_in`."""
    return found_in(problem, solve_windows(problem), "a stationary policy")


def flipped(best: WindowOptimum) -> FlippingPolicy:
    """The best policy with two actions a state; raises as `found_in`."""
    found = best_flipping(best.problem, best.rows)
    return found_in(best.problem, found, "a policy with at most two actions a state")


def next_law(model: CMDP, law: Sequence[Fraction], acting: Policy) -> tuple[Fraction, ...]:
    """The law of the next state."""
    after = [Fraction(0)] * model.n_states
    for k, s in enumerate(model.choice_states.tolist()):
        weight = law[s] * acting.probabilities[k]
        for t, p in model.transition_row(k) if weight else ():
            after[t] += weight * p
    return tuple(after)


def _from(problem: WindowProblem, state: int) -> WindowProblem:
    """The same problem started in a state."""
    start = [int(s == state) for s in range(problem.model.n_states)]
    return replace(problem, model=problem.model.with_initial(start))


def _value_at(best: WindowOptimum, state: int) -> Proved:
    def document() -> dict[str, object]:
        return solved(_from(best.problem, state)).certificate()

    return Proved(best.values[state], document)


def _program_value(value: Fraction, found: list[Atom], least: Fraction) -> Proved:
    return Proved(value, lambda: solve_linear_program(atom_program(found, least)).certificate())


_PRINTED = windows(window=(2, 3)).with_landmarks(**{"CE-1": lambda: (ce1(),)})


def _as_printed(problem: WindowProblem) -> Values:
    """The window, its level, and the largest risk of the best policy from a safe state."""
    risks = window_risks(problem, solved(problem).policy)
    return {
        theory.T_window: problem.window,
        theory.alpha: problem.level,
        theory.risk: max(risks[s] for s in problem.safe),
    }


def _state_by_state(
    problem: WindowProblem,
    symbol: Quantity,
    attained: Callable[[list[Atom], Fraction], Fraction | None],
) -> Iterator[Values]:
    """The optimum from each deciding state, and what the laws over its atoms attain there."""
    best, least = solved(problem), 1 - problem.level
    for state in set(problem.deciding) & set(problem.safe):
        found = state_atoms(problem, best, state)
        value = attained(found, least)
        assert value is not None  # the optimum itself meets the window
        yield {
            theory.V_star: _value_at(best, state),
            symbol: _program_value(value, found, least),
        }


@claim(theory.bellman, over=_PRINTED, witness="CE-1", shows=_as_printed)
def bellman(problem: WindowProblem) -> Iterator[Values]:
    yield from _state_by_state(problem, theory.V_laws, dual_value)


def _pair_value(found: list[Atom], least: Fraction) -> Fraction | None:
    pair = best_pair(found, least)
    return None if pair is None else pair.value


@claim(theory.flipping_program, over=_PRINTED, witness="CE-1", shows=_as_printed)
def flipping_program(problem: WindowProblem) -> Iterator[Values]:
    yield from _state_by_state(problem, theory.V_pairs, _pair_value)


def _two_actions(problem: WindowProblem) -> Iterator[Values]:
    best = solved(problem)
    flip = flipped(best)

    def document() -> dict[str, object]:
        found = flip_certificates(problem, best.rows)
        return largest([certificate for _, certificate in found], flip.value)

    yield {
        theory.V_star: Proved(best.value, best.certificate),
        theory.V_flip: Proved(flip.value, document),
    }


@claim(
    theory.two_actions,
    over=windows(window=(2, 2)).with_landmarks(
        **{
            "CE-1": lambda: (ce1(),),
            "CE-1 from y": lambda: (ce1(start=0),),
            "CE-1 with losses": lambda: (ce1(offset=-5),),
        }
    ),
    witness="CE-1",
    shows=_as_printed,
)
def two_actions(problem: WindowProblem) -> Iterator[Values]:
    yield from _two_actions(problem)


@claim(
    theory.additive_windows,
    over=windows(window=(2, 2), additive=True).with_landmarks(
        **{
            "CE-1": lambda: (ce1(additive=True),),
            "CE-1 with losses": lambda: (ce1(additive=True, offset=-5),),
        }
    ),
    witness="CE-1",
    shows=_as_printed,
)
def additive_windows(problem: WindowProblem) -> Iterator[Values]:
    yield from _two_actions(problem)


def reached_risks(problem: WindowProblem, acting: Policy, times: int) -> list[Fraction]:
    """For k = 0, ..., times - 1 the risk of the window that begins at time k, given that s_k is
    safe, forwards from the initial law."""
    risks = window_risks(problem, acting)
    law, found = problem.model.initial_vector().fractions(), []
    for _ in range(times):
        safe = sum((law[s] for s in problem.safe), Fraction(0))
        found.append(sum((law[s] * risks[s] for s in problem.safe), Fraction(0)) / safe)
        law = next_law(problem.model, law, acting)
    return found


def _earlier(draw: Draw) -> WindowProblem:
    discount = Fraction(draw.integer(1, 19), 20)
    return ce1(Y, discount, additive=True, offset=draw.integer(-5, 3))


_TIMES = 4
"""Windows of CE-1 from y: at k = 3 everything is over, in z, whatever the policy does."""


def _as_reached(problem: WindowProblem) -> Values:
    reached = reached_risks(problem, solved(problem).policy, _TIMES)
    return {**_as_printed(problem), theory.risk_reached: max(reached)}


@claim(
    theory.additive_reached,
    over=Family(
        "the model of three actions, started a step before the decision", _earlier
    ).with_landmarks(**{"CE-1 from y": lambda: (ce1(Y, additive=True),)}),
    witness="CE-1 from y",
    shows=_as_reached,
)
def additive_reached(problem: WindowProblem) -> Iterator[Values]:
    """From y the windows given that s_k is safe allow the same policies as those from every state:
    s_0 = y, s_1 = x where it is safe, and w and z, which follow, leave nothing to decide and risk
    at most alpha, so that later windows restrict no policy."""
    best = solved(problem)
    if max(reached_risks(problem, best.policy, _TIMES)) > problem.level:
        raise ClaimError("the optimal policy does not meet the windows that it reaches")
    yield from _two_actions(problem)


def _drawn_policy(draw: Draw, problem: WindowProblem, *_: object) -> Policy:
    return policy(draw, problem.model)


@claim(theory.window_risks, over=watched_models().along(_drawn_policy))
def window_risks_claim(problem: WindowProblem, acting: Policy) -> Iterator[Values]:
    one, many = (window_risks(problem, acting, steps) for steps in (1, problem.window))
    yield {
        theory.T_window: problem.window,
        theory.leak: max((one[s] for s in problem.safe), default=Fraction(0)),
        theory.risk: max((many[s] for s in problem.safe), default=Fraction(0)),
    }


M31 = NamedMutant(
    "M31",
    Gt(theory.V_star, theory.V_deterministic),
    "even at alpha = 0 it pays to randomise",
)


@claim(
    theory.zero_level,
    over=watched_models(level=(0, 0)).with_controls(
        zero_level=watched_models(window=(1, 1), level=(1, 9))
    ),
    mutants=(M31,),
)
def zero_level(problem: WindowProblem) -> Iterator[Values]:
    best = solved(problem)
    found = best_deterministic(problem)
    if found is None and problem.level:  # only without the assumption
        raise OutOfScope("no deterministic policy meets every window")
    found = found_in(problem, found, "a deterministic policy")
    yield {theory.V_star: best.value, theory.V_deterministic: found.value}


M1 = NamedMutant(
    "M1",
    Eq(theory.V_star, theory.V_laws),
    "the printed programs are right for windows of two steps as well",
    lambda: bellman.evaluate(ce1()),
)
_ONE_STEP = watched_models(window=(1, 1))


@claim(
    theory.one_step,
    over=_ONE_STEP.with_controls(one_step=windows(window=(2, 3))),
    mutants=(M1,),
)
def one_step(problem: WindowProblem) -> Iterator[Values]:
    """Every safe state; one linear program over all states against a program for each state."""
    best = solved(problem)
    flip = flipped(best)
    for state in problem.safe:
        value = dual_value(state_atoms(problem, best, state), 1 - problem.level)
        assert value is not None  # the optimum itself meets the window
        yield {
            theory.V_star: best.values[state],
            theory.V_laws: value,
            theory.V_flip: flip.values[state],
        }


@claim(
    theory.window_actions,
    over=windows().with_landmarks(
        **{
            "CE-1": lambda: (ce1(),),
            "four actions": lambda: (four_actions(),),
        }
    ),
)
def window_actions(problem: WindowProblem) -> Iterator[Values]:
    best = solved(problem)
    used = [
        sum(1 for k in problem.choices(s) if best.policy.probabilities[k])
        for s in range(problem.model.n_states)
    ]
    yield {theory.n_actions: max(used), theory.T_window: problem.window}


@claim(theory.two_atoms, over=atoms().along(atom_weights))
def two_atoms(drawn: Atoms, weights: tuple[Fraction, ...]) -> Iterator[Values]:
    found = reduce_to_two(drawn.atoms, weights)
    pairs = list(zip(weights, drawn.atoms, strict=True))
    yield {
        theory.n_atoms: len(found.atoms),
        theory.v_mixture: sum((w * atom.value for w, atom in pairs), Fraction(0)),
        theory.p_mixture: sum((w * atom.safety for w, atom in pairs), Fraction(0)),
        theory.v_atoms: found.value,
        theory.p_atoms: found.safety,
    }


@claim(theory.relabelling, over=atoms())
def relabelling(drawn: Atoms) -> Iterator[Values]:
    """L = 1 and L = 2 actions, against risk levels each spent by its best action."""
    found, least = drawn.atoms, 1 - drawn.level
    levels = [
        Atom(value, 1 - level)
        for level in {1 - atom.safety for atom in found}
        if (value := level_value(found, level)) is not None
    ]
    for program in (best_single, best_pair):
        actions, mixed = program(found, least), program(levels, least)
        assert actions is not None  # an atom meets the level
        assert mixed is not None
        yield {theory.B_actions: actions.value, theory.B_levels: mixed.value}
