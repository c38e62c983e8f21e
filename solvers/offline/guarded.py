"""Plans in a learned model behind a guardian, and what the log certifies of them, term by term.

`learned` has the model and the inequalities.  Values are UN-normalised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from ..cmdp.policies import Policy, negated
from ..cmdp.scale.enclosure import enclose
from ..cmdp.scale.solution import EnclosedSolution
from ..errors import ModelError
from ..exact import Vector
from ..limits import Limits
from ..models.cmdp import CMDP
from ..sequences import Array
from ..solution import Status
from .learned import OUTSIDE, Learned, Range
from .logs import Log, bounded
from .robust import least_value, least_values

_GENEROUS = Limits()
_TIGHTENINGS = 6
"""Of budgets, by a little more than certified costs exceed them: two or three suffice in the
examples of the guide; each costs as much as a plan."""


_SHARES = (Fraction(1, 2), Fraction(1, 4), Fraction(0))
"""Of the errors of transitions, tried where all of them leave no certified plan: their bound by the
width of values may be far above what they can do."""


@dataclass(frozen=True)
class Plan:
    """A policy of a learned model, and what the log certifies of it, term by term.

    Attributes:
        learned: the model; policy: over its choices.
        values: in the model with means, of the reward (rounded down) and each cost (up): 1 + m.
        means: what is lost since means are estimated; inside: what more since transitions are, on
            the support; outside: what more since nothing is known beyond it.  Each 1 + m.
        exits: V_g, what the policy spends outside of the support (rounded up).
    """

    learned: Learned
    policy: Policy
    values: tuple[Fraction, ...]
    means: tuple[Fraction, ...]
    inside: tuple[Fraction, ...]
    outside: tuple[Fraction, ...]
    exits: Fraction

    def bound(self, index: int) -> Fraction:
        """The certified lower bound on the true return (0), or upper bound on a true cost."""
        loss = self.means[index] + self.inside[index] + self.outside[index]
        return self.values[index] + (loss if index else -loss)

    @property
    def kept(self) -> bool:
        """Whether the certified costs keep the budgets."""
        budgets = enumerate(self.learned.model.budgets, start=1)
        return all(self.bound(i) <= budget for i, budget in budgets)

    def uniform_error(self, index: int) -> Fraction:
        """B_q(V_g) of OG-A, by the largest error on the support in place of those on the way."""
        model, width = self.learned.model, self.learned.ranges[index].width
        pairs = zip(self.learned.variation, self.learned.outside.tolist(), strict=True)
        worst = max((u for u, outside in pairs if not outside), default=Fraction(0))
        return model.discount * width * (worst / (1 - model.discount) + self.exits)

    def concentrability(self) -> float:
        """The largest ratio of (1 - gamma) rho to the share of a supported pair in the log."""
        log, model = self.learned.log, self.learned.model
        visits = np.vstack([log.visits, np.zeros(len(log.actions))])[
            model.choice_states, model.actions
        ]
        rho = occupancy(model, self.policy) * (1 - float(model.discount))
        logged = (visits > 0) & ~self.learned.outside
        return float((rho[logged] * log.steps / visits[logged]).max(initial=0))

    def probabilities(self, available: Array | None = None) -> list[list[Fraction]]:
        """[S][A], of the states and actions of the log.

        What is outside goes to the most visited action that is not supported (or, where all are,
        to any): the bounds hold whatever it is.  available: bool[S, A], default all.
        """
        log, model = self.learned.log, self.learned.model
        may = np.ones(log.visits.shape, dtype=bool) if available is None else available.copy()
        at, labels = model.choice_states.tolist(), model.actions.tolist()
        order = np.where(may, log.visits, -2)
        for s, a in zip(at, labels, strict=True):
            if a != OUTSIDE and s < len(order) and order[s, a] >= 0:
                order[s, a] = -1
        beyond = order.argmax(axis=1).tolist()
        found = [[Fraction(0)] * len(log.actions) for _ in log.states]
        for s, a, p in zip(at, labels, self.policy.probabilities, strict=True):
            if s < len(found):
                found[s][beyond[s] if a == OUTSIDE else a] += p
        return found

    def in_model(self, truth: CMDP) -> Policy:
        """The policy in a model whose states and actions have the codes of the log.

        In states that the log lacks it takes the first choice.
        """
        log, start = self.learned.log, truth.choice_start.tolist()
        places = {code: i for i, code in enumerate(log.actions.tolist())}
        available = np.zeros(log.visits.shape, dtype=bool)
        rows = dict(zip(log.states.tolist(), range(len(log.states)), strict=True))
        labels = truth.actions.tolist()
        for code, s in rows.items():
            for k in range(start[code], start[code + 1]):
                if labels[k] in places:
                    available[s, places[labels[k]]] = True
        chances, found = self.probabilities(available), [Fraction(0)] * truth.n_choices
        for code in range(truth.n_states):
            own = range(start[code], start[code + 1])
            for k in own:
                if code in rows and labels[k] in places:
                    found[k] = chances[rows[code]][places[labels[k]]]
            if not any(found[k] for k in own):
                found[start[code]] = Fraction(1)
        return Policy.of(truth, found)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why there is no plan: what is least by itself, of exits and of each (bound on a) cost.

    Costs are least among policies that keep the limit of exits, if there are any.
    """

    exits: Fraction
    costs: tuple[Fraction, ...]


def plan(
    known: Learned, limit: Fraction | None, *, certified: bool = False, limits: Limits = _GENEROUS
) -> Plan | Obstacle:
    """The best policy of the model within the budgets, and within `limit` of exits if not None.

    certified: pessimistic rewards and costs in place of means, each less what an error of the
    transitions can do, by the width of the values of the plan without that (or a share of it, where
    only that keeps them); and budgets that are tightened until what is certified keeps them, if
    that can be (OG-B).  Raises ModelError when the time is not enough.
    """
    model = known.model
    if limit is not None:
        bounded("the budget of exits", limit)
    functions = [model.reward_vector(), *map(model.cost_vector, range(model.n_constraints))]
    first = _planned(known, functions, model.budgets, limit, limits)
    if not certified or isinstance(first, Obstacle):
        return first
    widths = [_width(model, first.policy, one) for one in functions]
    found = []
    for share in (Fraction(1), *_SHARES):
        cautious = [known.penalised(i, share * width) for i, width in enumerate(widths)]
        found.append(_tightened(known, cautious, limit, limits))
        if isinstance(last := found[-1], Plan) and last.kept:
            return last
    return first if first.kept else found[0]


def _tightened(
    known: Learned, cautious: Sequence[Vector], limit: Fraction | None, limits: Limits
) -> Plan | Obstacle:
    """The best plan with budgets that are tightened until what is certified keeps the true ones."""
    best: Plan | None = None
    budgets: Sequence[Fraction] = known.model.budgets
    for _ in range(_TIGHTENINGS):
        found = _planned(known, cautious, budgets, limit, limits)
        if isinstance(found, Obstacle):
            return best or found
        best = found
        if best.kept:
            break
        over = [best.bound(i + 1) - budget for i, budget in enumerate(known.model.budgets)]
        # a little more than needed, as what is certified moves with the plan
        budgets = [
            budget - max(one, Fraction(0)) * Fraction(11, 10)
            for budget, one in zip(budgets, over, strict=True)
        ]
    assert best is not None  # there is at least one round
    return best


def _planned(
    known: Learned, functions: Sequence[Vector], budgets: Sequence[Fraction],
    limit: Fraction | None, limits: Limits,
) -> Plan | Obstacle:  # fmt: skip
    """The best plan for a reward and costs, with what is certified of it."""
    model, (reward, *costs) = known.model, functions
    guard = [] if limit is None else [(known.exits, limit)]
    rows = [*zip(costs, budgets, strict=True), *guard]
    problem = model.with_reward(reward).with_costs([r for r, _ in rows], [b for _, b in rows])
    found = enclose(problem, limits=limits)
    if found.status is Status.INFEASIBLE:
        exits = _least(model, known.exits)
        kept = guard if limit is not None and exits <= limit else []
        return Obstacle(exits, tuple(_least(model, row, kept) for row in costs))
    if found.exact is None and not found.components:
        raise ModelError(
            f"no plan of {model.n_states} states was found within {limits.seconds:g} s; give more "
            "time, or merge states"
        )
    return certify(known, _stationary(model, found))


def _least(
    model: CMDP, function: Vector, guard: Sequence[tuple[Vector, Fraction]] = ()
) -> Fraction:
    """The least value of a function, from below, within a guard that some policy keeps."""
    costs = [row for row, _ in guard], [limit for _, limit in guard]
    best = enclose(model.with_reward(negated(function)).with_costs(*costs))
    if best.upper is None and guard:  # kept but for rounding
        return _least(model, function)
    assert best.upper is not None  # without constraints there is one
    return -best.upper


def _stationary(model: CMDP, found: EnclosedSolution) -> Policy:
    """The policy with the occupancy of a mixture, up to rounding."""
    if found.exact is not None:
        assert found.exact.policy is not None
        return found.exact.policy
    parts = [Policy.of_choices(model, part.choices.tolist()) for part in found.components]
    weights = [float(part.weight) for part in found.components]
    mixed = np.average([occupancy(model, part) for part in parts], axis=0, weights=weights)
    chances: list[Fraction] = []
    for first, last in pairwise(model.choice_start.tolist()):
        mass = mixed[first:last]
        own = [int(x) for x in np.rint(mass / (mass.sum() or 1) * 2**30).tolist()]
        own = own if any(own) else list(map(int, parts[0].probabilities[first:last]))
        chances += [Fraction(x, sum(own)) for x in own]
    return Policy.of(model, chances)


def occupancy(model: CMDP, policy: Policy) -> Array:
    """rho in floating point, float64[K], of mass 1/(1 - gamma)."""
    from scipy.sparse import csr_matrix, identity
    from scipy.sparse.linalg import spsolve

    size, acting = model.n_states, np.array([float(p) for p in policy.probabilities])
    places = (model.choice_states, np.arange(model.n_choices))
    chain = csr_matrix((acting, places), shape=(size, model.n_choices)) @ model.float_transitions()
    system = (identity(size) - float(model.discount) * chain.T).tocsc()
    found: Array = spsolve(system, model.initial_vector().floats())[model.choice_states] * acting
    return found


def _width(model: CMDP, policy: Policy, function: Vector) -> Fraction:
    """Between the least and the greatest value of a state, nearly: it guides and proves nothing."""
    values = least_values(model, policy, function, (Fraction(0),) * model.n_choices, None)
    return Fraction(float(values.max() - values.min())).limit_denominator(1000)


def certify(known: Learned, policy: Policy) -> Plan:
    """What the log certifies of any policy of the model."""
    model, exact = known.model, (Fraction(0),) * known.model.n_choices
    exits = -least_value(model, policy, negated(known.exits), exact)
    terms = [_terms(known, policy, index, exact) for index in range(model.n_constraints + 1)]
    values, means, inside, outside = zip(*terms, strict=True)
    return Plan(known, policy, values, means, inside, outside, exits)


def _terms(
    known: Learned, policy: Policy, index: int, exact: Sequence[Fraction]
) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """The value in the model, and the three terms between it and the bound."""
    model, bound = known.model, known.bounds[index]
    mean = model.cost_vector(index - 1) if index else model.reward_vector()
    low, high = known.ranges[index].returns
    floor = None if known.complete else (-high if index else low)
    if index:  # of a cost the most, by its negation
        mean, bound = negated(mean), negated(bound)
    pairs = zip(known.variation, known.outside.tolist(), strict=True)
    supported = [Fraction(0) if one else u for u, one in pairs]
    reached = [
        least_value(model, policy, function, variation, floor)
        for function, variation in (
            (mean, exact), (bound, exact), (bound, supported), (bound, known.variation),
        )
    ]  # fmt: skip
    first, second, third = (max(a - b, Fraction(0)) for a, b in pairwise(reached))
    return (-reached[0] if index else reached[0]), first, second, third


def from_starts(log: Log, truth: CMDP) -> CMDP:
    """The model begun where the episodes of the log begin, as all that is said of the log is."""
    starts = [0] * truth.n_states
    for code, times in zip(log.states.tolist(), log.starts.tolist(), strict=True):
        starts[code] = times
    return truth.with_initial(starts)


def enclosed_value(
    model: CMDP, policy: Policy, function: Vector | None = None
) -> tuple[Fraction, Fraction]:
    """Rigorous bounds on the UN-normalised return of a policy, for the reward if no function."""
    values, exact = function or model.reward_vector(), (Fraction(0),) * model.n_choices
    low, high = (least_value(model, policy, one, exact) for one in (values, negated(values)))
    return low, -high


def behaviour(
    log: Log, ranges: Sequence[Range], failure: Fraction
) -> tuple[tuple[float, float, float], ...]:
    """(mean, low, high) of the discounted return and of each cost of the logging policy.

    Hoeffding's inequality over the E episodes, for all of them at once.  The mean is that of
    returns up to where an episode was cut; what comes after is anything in the range of returns, so
    that low and high take its least and its most, gamma^T of them after T steps.  Cuts must be
    decided by what came before them.  Raises ModelError for a return outside of its range.
    """
    episodes, size = log.returns.shape
    away = math.sqrt(math.log(2 * size / float(failure)) / (2 * episodes))
    found = []
    for returns, known in zip(log.returns.T, ranges, strict=True):
        low, high = map(float, known.returns)
        slack = 1e-9 * max(high - low, 1.0)
        if len(bad := np.flatnonzero((returns < low - slack) | (returns > high + slack))):
            raise ModelError(
                f"episode {bad[0]} has the discounted return {returns[bad[0]]:.6g}, outside of "
                f"[{low:g}, {high:g}], the range that returns were said to have; widen the range, "
                "or log what was earned, which the expected reward of a step may exceed"
            )
        least = np.maximum(returns + log.rest * low, low).mean() - (high - low) * away
        most = np.minimum(returns + log.rest * high, high).mean() + (high - low) * away
        found.append((float(returns.mean()), max(low, float(least)), min(high, float(most))))
    return tuple(found)


def often_taken(log: Log, share: Fraction) -> Array:
    """bool[S, A], the pairs whose action has at least this share of the visits of their state.

    It guards actions and not states, as behaviour-constrained methods do: a baseline.
    """
    visits = log.visits
    often: Array = visits >= float(share) * visits.sum(axis=1, keepdims=True)
    return often & (visits > 0)
