"""Claims on guarded planning: exact on pairs of small models, and exact tails of samples."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sympy import Abs

from holdfast.solvers import CMDP, Policy, Vector, occupancy_of, policy_return, solve
from holdfast.solvers.cmdp.model_error import l1_errors
from holdfast.solvers.cmdp.occupancy import conditioned
from holdfast.theory import Le, Quantity
from holdfast.theory.cmdp.foundations import gamma
from holdfast.theory.offline import guarded as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw
from ...binding.family import Family, OutOfScope
from ...binding.values import Values
from ...cmdp.families import cmdps
from ...cmdp.families.cmdps import deterministic_policy, neighbour, policy, skeleton
from ..families import guarded as families
from ..families.guarded import Estimates, Guard, Rules
from ..landmarks import guarded as landmarks

_HALF = Fraction(1, 2)
_ANY = cmdps(constraints=(0, 0)).along(neighbour, policy, families.guard)
_PAID = cmdps(constraints=(0, 0), bounded_reward=True).along(neighbour, policy, families.guard)


def outside(guard: Guard) -> Vector:
    """The cost of leaving U, over the choices."""
    return Vector(tuple(int(not one) for one in guard), 1)


def _error(model: CMDP, truth: CMDP, guard: Guard) -> Fraction:
    errors = zip(l1_errors(model, truth), guard, strict=True)
    return max((error for error, one in errors if one), default=Fraction(0))


def _largest(values: Vector) -> Fraction:
    return max(Fraction(0), *values.fractions())


_SCALE = gamma * theory.q_max / (1 - gamma) ** 2
_INSIDE = theory.eps / 2 * (1 - theory.out)
_OFF = Abs(theory.V_model - theory.V)


@claim(
    theory.value_error,
    over=_PAID.with_landmarks(
        leak=landmarks.leak,
        escape=landmarks.escape,
        early=landmarks.early,
        sudden=lambda: landmarks.early(Fraction(1)),
        patient=lambda: landmarks.leak(Fraction(99, 100), 3),
        far=lambda: landmarks.escape(Fraction(99, 100), 3),
    ).with_controls(bounded_reward=_ANY),
    survivors={
        **dict.fromkeys(
            (
                Le(_OFF, _SCALE * (_INSIDE + theory.out) / (1 - gamma)),
                Le(_OFF, _SCALE / gamma * (_INSIDE + theory.out)),
                Le(_OFF, _SCALE * (theory.eps * 11 / 20 * (1 - theory.out) + theory.out)),
            ),
            "true: weaker",
        ),
        **dict.fromkeys(
            (
                Le(_OFF, _SCALE * (_INSIDE + 1 - gamma)),
                Le(_OFF, _SCALE * (1 - gamma) + _SCALE * theory.eps / 2),
            ),
            "true: both values begin with the same q, so they differ by gamma q_max/(1 - gamma) "
            "at most",
        ),
    },
    mutants=(
        NamedMutant("M23", Le(theory.V - theory.V_model, _SCALE * _INSIDE), "no term outside of U"),
        NamedMutant(
            "M23-horizon",
            Le(theory.V - theory.V_model, _SCALE * (1 - gamma) * (_INSIDE + theory.out)),
            "one (1 - gamma) fewer",
        ),
    ),
)
def value_error(model: CMDP, truth: CMDP, acting: Policy, guard: Guard) -> Iterator[Values]:
    yield {
        gamma: model.discount,
        theory.V_model: policy_return(model, acting),
        theory.V: policy_return(truth, acting),
        theory.q_max: _largest(model.reward_vector()),
        theory.eps: _error(model, truth, guard),
        theory.V_g: policy_return(model, acting, outside(guard)),
    }


def _plan(model: CMDP, guard: Guard, budgets: tuple[Fraction, Fraction], share: Fraction) -> Policy:
    """The optimum within budgets of cost and exits, mixed with the worst plan by a share."""
    problem = model.with_costs([model.cost_vector(0), outside(guard)], budgets)
    best = solve(problem).occupancy
    worst = None
    if share:
        reward = model.reward_vector()
        negated = Vector(tuple(-x for x in reward.numerators), reward.denominator)
        worst = solve(problem.with_reward(negated)).occupancy
    if best is None:
        raise OutOfScope("the comparator does not keep the rules")
    if worst is not None:
        pairs = zip(best.fractions(), worst.fractions(), strict=True)
        best = Vector.of((1 - share) * x + share * y for x, y in pairs)
    return conditioned(model, best, model.choice_start[:-1].tolist())


def _bound(discount: Fraction, largest: Fraction, error: Fraction, exits: Fraction) -> Fraction:
    """B_q of OG-A."""
    patience = discount / (1 - discount)
    return patience * largest * (error / (2 * (1 - discount)) + exits)


def _untightened(*_: object) -> Rules:
    return Rules(Fraction(0))


_COSTLY = cmdps(constraints=(1, 1), feasible=None, bounded_reward=True).along(
    neighbour, policy, families.guard
)
_V_LAX = Quantity("V_lax", "true cost of a plan whose tightening has no term for exits")


def _lax() -> Iterator[Values]:
    """The tightening has only the error on U, which is nearly 0 here."""
    for values in _planned(*landmarks.costly(Fraction(0))):
        yield {_V_LAX: values[theory.V_cost], theory.budget: values[theory.budget]}


def _planned(
    model: CMDP, truth: CMDP, acting: Policy, guard: Guard, rules: Rules
) -> Iterator[Values]:
    """The comparator spends all that the tightened budgets of the model allow."""
    cost, exits = model.cost_vector(0), policy_return(model, acting, outside(guard))
    error, largest = _error(model, truth, guard), _largest(cost)
    bound = rules.tightening * _bound(model.discount, largest, error, exits)
    spent = policy_return(model, acting, cost)
    anywhere = 1 / (1 - model.discount)
    plan = _plan(model, guard, (spent, exits if rules.guarded else anywhere), Fraction(0))
    yield {theory.V_cost: policy_return(truth, plan, cost), theory.budget: spent + bound}


@claim(
    theory.safety,
    over=_COSTLY.along(families.rules)
    .with_landmarks(costly=landmarks.costly, always=landmarks.always_pays)
    .with_controls(
        tightened=_COSTLY.along(_untightened),
        guarded=landmarks.by_discount("costs behind an exit", landmarks.trap),
    ),
    mutants=(
        NamedMutant("OG-B-exits", Le(_V_LAX, theory.budget), "no term for exits", _lax),
    ),
)  # fmt: skip
def safety(
    model: CMDP, truth: CMDP, acting: Policy, guard: Guard, rules: Rules
) -> Iterator[Values]:
    yield from _planned(model, truth, acting, guard, rules)


_ONCE = theory.eps_r + gamma * theory.q_max * (
    theory.eps / 2 / (1 - gamma) ** 2 + theory.limit / (1 - gamma)
)


@claim(
    theory.optimality,
    over=_COSTLY.along(families.rules)
    .with_landmarks(
        two_leaks=landmarks.two_leaks,
        patient=lambda: landmarks.two_leaks(Fraction(99, 100)),
        rich=lambda: landmarks.two_leaks(pay=3),
        swapped=lambda: landmarks.swapped(_HALF),
        at_times=lambda: landmarks.swapped(Fraction(1, 4), 3, start=_HALF),
        sudden=lambda: landmarks.swapped(Fraction(1, 10**4), supported=True),
        worse=landmarks.worse_plan,
        astray=landmarks.astray,
    )
    .with_controls(
        comparable=landmarks.by_discount("what pays is outside", landmarks.blind),
        bounded_reward=landmarks.by_discount(
            "debts", lambda discount: landmarks.swapped(discount, -1, supported=True)
        ),
    ),
    survivors={
        "-V_plan + V_rival <= eps_r + epsilon*gamma*q_max/(1 - gamma)**2 "
        "+ 2*gamma*q_max/(1 - gamma)": "true: values in model and truth begin with the same q, so "
        "they differ by gamma q_max/(1 - gamma) at most"
    },
    mutants=(
        NamedMutant("OG-C-once", Le(theory.V_rival - theory.V_plan, _ONCE), "B_r once"),
    ),
)  # fmt: skip
def optimality(
    model: CMDP, truth: CMDP, acting: Policy, guard: Guard, rules: Rules
) -> Iterator[Values]:
    """Budgets are the comparator's own cost and exits, or those of the first choices."""
    cost, exits = policy_return(model, acting, ("cost", 0)), outside(guard)
    limits = (cost, policy_return(model, acting, exits))
    if not rules.comparable:
        first = Policy.of_choices(model, model.choice_start[:-1].tolist())
        limits = policy_return(model, first, ("cost", 0)), policy_return(model, first, exits)
    plan = _plan(model, guard, limits, rules.share)
    best = _plan(model, guard, limits, Fraction(0))
    yield {
        gamma: model.discount,
        theory.V_rival: policy_return(truth, acting),
        theory.V_plan: policy_return(truth, plan),
        theory.eps_r: policy_return(model, best) - policy_return(model, plan),
        theory.q_max: _largest(model.reward_vector()),
        theory.eps: _error(model, truth, guard),
        theory.limit: limits[1],
    }


def _followed(draw: Draw, truth: CMDP, _: CMDP, acting: Policy, *__: object) -> Guard:
    """Whatever the policy does in truth is supported, and of other pairs one in four."""
    taken = occupancy_of(truth, acting).numerators
    return tuple(mass > 0 or draw.integer(0, 3) == 0 for mass in taken)


def _short(draw: Draw) -> CMDP:
    """With discounts at which a small error is not as good as none known."""
    return skeleton(draw, 0, 0).with_discount(Fraction(1, draw.choice((2, 3, 5))))


@claim(
    theory.kept,
    over=Family("CMDPs of small discounts", _short)
    .along(neighbour, deterministic_policy, _followed)
    .with_landmarks(
        lost=lambda: landmarks.lost(Fraction(9, 10)),
        patient=lambda: landmarks.lost(Fraction(99, 100)),
        sudden=lambda: landmarks.lost(Fraction(1, 10**4), Fraction(1)),
    )
    .with_controls(never_leaves=_ANY),
    little_power="in few models so small the model enters what is never visited in truth",
)
def kept(truth: CMDP, model: CMDP, acting: Policy, guard: Guard) -> Iterator[Values]:
    """The model is the neighbour: it has successors that the truth lacks, not the other way."""
    yield {
        gamma: model.discount,
        theory.eps: _error(model, truth, guard),
        theory.V_g: policy_return(model, acting, outside(guard)),
    }


def left_within(model: CMDP, acting: Policy, guard: Guard, steps: int) -> Fraction:
    """Pr(a pair outside of U within steps 0 to `steps`), exactly."""
    inside = list(model.initial_vector().fractions())
    states = model.choice_states.tolist()
    for _ in range(steps + 1):
        further, kept = [Fraction(0)] * model.n_states, Fraction(0)
        for k, p in enumerate(acting.probabilities):
            mass = inside[states[k]] * p
            if mass and guard[k]:
                kept += mass
                for t, q in model.transition_row(k):
                    further[t] += mass * q
        inside = further
    return 1 - kept


@claim(
    theory.window,
    over=cmdps(constraints=(0, 0))
    .along(policy, families.guard, families.window)
    .with_landmarks(
        first=lambda: landmarks.last_step(0),
        third=lambda: landmarks.last_step(2),
        patient=lambda: landmarks.last_step(4, Fraction(99, 100)),
    ),
    mutants=(
        NamedMutant("OG-F-none", Le(theory.reached, theory.V_g), "without gamma^-H"),
        NamedMutant(
            "OG-F-short", Le(gamma ** (theory.H - 1) * theory.reached, theory.V_g), "one step fewer"
        ),
    ),
)
def window(model: CMDP, acting: Policy, guard: Guard, steps: int) -> Iterator[Values]:
    yield {
        gamma: model.discount,
        theory.H: steps,
        theory.reached: left_within(model, acting, guard, steps),
        theory.V_g: policy_return(model, acting, outside(guard)),
    }


@claim(
    theory.safe,
    over=families.estimates().with_controls(
        slack=families.estimates(slack=False), accurate=families.estimates(accurate=False)
    ),
)
def safe(case: Estimates) -> Iterator[Values]:
    for cost, bound in zip(case.costs, case.budgets, strict=True):
        yield {theory.V_safe: cost, theory.budget: bound}
