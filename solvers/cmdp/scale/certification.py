"""What anybody's policy, or anybody's values, prove of a model: rigorous, whoever computed them.

For any h (S) with residuals res = f + gamma P h - h over the choices,

    J_f(pi)  in  mu.h + [min_s, max_s] sum_a pi(a|s) res(s, a) / (1 - gamma),
    max_pi J_f(pi)  <=  mu.h + max_k res_k / (1 - gamma),

and the optimum within budgets d is at most that of f = r - lambda c, plus lambda.d, for every
lambda >= 0.  How good h and lambda are decides how narrow the bounds are, never whether they hold:
every rounding of the residuals is bounded, the rest is in Fractions.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
from scipy import optimize, sparse

from ...errors import ModelError
from ...exact import Array
from ...models.checks import check_discounted
from ...models.cmdp import CMDP
from ...solution import short
from ..policies import Function, Policy, check_policy, policy_return
from ..policy_files import policy_of_table, shares_of_table
from .bounds import expectation, return_bounds
from .enclosure import EXACT_UP_TO
from .evaluation import Chain, evaluate_chain
from .image import Image
from .search import Search

Ends = tuple[Fraction, Fraction]
_UNIT = Fraction(1, 2**53)
#: Bits of a value on its grid, so that its dot product with the initial law is exact.
_SIGNIFICANT = 51
#: Sweeps of value iteration that the upper bound is narrowed by: each takes off a factor of the
#: discount at least, and costs one pass over the transitions.
SWEEPS = 5
#: Products for the values of a policy.  More: chains that mix slowly are enclosed narrower.
_PRODUCTS = 4_000
#: Residuals that are sought, in units of the payoff; the bounds then hold some thousand roundings.
_ACCURACY = 1e-15


@dataclass(frozen=True)
class Certification:
    """What is proved of a policy and of the optimum; all returns are UN-normalised.

    Attributes:
        reward: (lower, upper) of J_r of the policy; None if values alone were given.
        costs: (lower, upper) of each J_c of the policy.
        upper: no policy within the budgets earns more.
        multipliers: lambda (m) of that bound.
        seconds: of the evaluation and of the upper bound.
    """

    model: CMDP
    reward: Ends | None
    costs: tuple[Ends, ...]
    upper: Fraction
    multipliers: tuple[Fraction, ...]
    seconds: dict[str, float] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        own = ""
        if self.reward:
            costs = "".join(f", cost at most {short(high)}" for _, high in self.costs)
            own = f"reward at least {short(self.reward[0])}{costs}, "
            own += f"within budgets: {self.within_budgets}, "
        return f"<Certification: {own}optimum at most {short(self.upper)}>"

    @property
    def within_budgets(self) -> bool | None:
        """Whether the policy keeps every budget; None where the bounds do not decide it."""
        pairs = list(zip(self.costs, self.model.budgets, strict=True)) if self.reward else []
        if any(low > budget for (low, _), budget in pairs):
            return False
        return True if self.reward and all(high <= budget for (_, high), budget in pairs) else None

    @property
    def left(self) -> Fraction | None:
        """By how much the optimum can exceed the reward of the policy, at most; None if it breaks
        a budget, or may."""
        return self.upper - self.reward[0] if self.reward and self.within_budgets else None


def certify(
    model: CMDP,
    policy: Policy | Array | None = None,
    *,
    values: Sequence[float] | Array | None = None,
    multipliers: Sequence[float | Fraction] | None = None,
    sweeps: int = SWEEPS,
    exact: bool | None = None,
) -> Certification:
    """Rigorous bounds on what a policy earns and costs, and on what it leaves to the optimum.

    Args:
        model: discounted (gamma < 1).
        policy: any stationary policy, from whatever program: a `Policy`, or an array of
            probabilities [S, A] or actions [S] (int), which is fast in the largest models; rows
            that sum to 1 up to ``ROUNDED`` stand for themselves over their sum.
        values: V (S), what somebody takes for the values of the optimum of r - lambda c; by default
            those of the policy.
        multipliers: lambda (m), at least 0; by default those for which the bound is least.
        sweeps: of value iteration, by which the upper bound is narrowed.
        exact: whether the policy is evaluated in fractions, which takes seconds from 500 states on;
            by default up to ``EXACT_UP_TO`` states.

    Raises ModelError for bad arguments, and for numbers beyond double precision.
    """
    policy = _checked(model, policy, values, multipliers, exact)
    began = time.perf_counter()
    residual = _Residuals(Image.of(model))
    own, ends = np.zeros((1 + model.n_constraints, model.n_states)), list[Ends]()
    if policy is not None:
        own, ends = residual.evaluate(residual.shares(policy))
        if isinstance(policy, Policy) and _small(model, exact):
            ends = [(value, value) for value in _exactly(model, policy)]
    evaluated = time.perf_counter()
    lam = (
        residual.best_multipliers(own) if multipliers is None else _multipliers(model, multipliers)
    )
    start = residual.mixed(own, lam) if values is None else _values(model, values)
    upper = residual.ceiling(lam, start, sweeps)
    seconds = {"evaluation": evaluated - began, "upper bound": time.perf_counter() - evaluated}
    prices = tuple(map(Fraction, lam.tolist()))
    return Certification(model, ends[0] if ends else None, tuple(ends[1:]), upper, prices, seconds)


def _checked(
    model: CMDP,
    policy: Policy | Array | None,
    values: Sequence[float] | Array | None,
    multipliers: Sequence[float | Fraction] | None,
    exact: bool | None,
) -> Policy | Array | None:
    """The policy, as a `Policy` where it is evaluated in fractions."""
    check_discounted(model)
    _check_budgets(model)
    if policy is None and values is None:
        raise ModelError("neither a policy nor values are given; there is nothing to certify")
    if values is not None and multipliers is None and model.n_constraints:
        raise ModelError(
            f"the model has {model.n_constraints} costs, and values belong to multipliers; give "
            "the multipliers that they were computed for"
        )
    if policy is not None and not isinstance(policy, Policy) and _small(model, exact):
        policy, _ = policy_of_table(model, policy)
    if isinstance(policy, Policy):
        check_policy(model, policy)
    return policy


def _small(model: CMDP, exact: bool | None) -> bool:
    return model.n_states <= EXACT_UP_TO if exact is None else exact


def _exactly(model: CMDP, policy: Policy) -> list[Fraction]:
    functions: list[Function] = [("cost", i) for i in range(model.n_constraints)]
    return [policy_return(model, policy, one) for one in ["reward", *functions]]


_TOO_LARGE = "leaves the range of double precision; measure it in another unit, or use solve"


def _check_budgets(model: CMDP) -> None:
    for i, budget in enumerate(model.budgets):
        if abs(budget) > sys.float_info.max:
            raise ModelError(f"the limit of cost {i} {_TOO_LARGE}")


def _multipliers(model: CMDP, given: Sequence[float | Fraction]) -> Array:
    for i, one in enumerate(given):
        if isinstance(one, int | Fraction) and one > sys.float_info.max:
            raise ModelError(f"multiplier {i} {_TOO_LARGE}")
    found = np.asarray(given, dtype=float)
    if found.shape != (model.n_constraints,) or not (np.isfinite(found) & (found >= 0)).all():
        raise ModelError(
            f"multipliers are {', '.join(map(str, given))}; the model has "
            f"{model.n_constraints} costs, each with a finite multiplier of at least 0"
        )
    return found


def _values(model: CMDP, given: Sequence[float] | Array) -> Array:
    found = np.asarray(given)
    if found.shape != (model.n_states,) or found.dtype.kind not in "fiu":
        raise ModelError(
            f"values are of shape {found.shape} and type {found.dtype}; give a number for each of "
            f"{model.n_states} states"
        )
    found = found.astype(float)
    if len(bad := np.flatnonzero(~np.isfinite(found))):
        raise ModelError(f"values[{bad[0]}] is {found[bad[0]]}; values are finite")
    return found


@dataclass(frozen=True)
class _Residuals:
    """Residuals of all choices, and what bounds they give."""

    image: Image

    @cached_property
    def transitions(self) -> sparse.csr_array:
        """float64[K, S], the weights: gamma P is these times ``image.scale``."""
        image = self.image
        shape = (image.model.n_choices, image.n_states)
        parts = (image.weights.astype(float), image.successors.view(np.int32), image.model.indptr)
        return sparse.csr_array(parts, shape=shape)

    @cached_property
    def states(self) -> Array:
        """The state of each choice (K)."""
        return np.repeat(np.arange(self.image.n_states), self.image.model.action_counts)

    def ahead(self, h: Array) -> Array:
        """gamma P h (K)."""
        return np.asarray(self.image.scale * (self.transitions @ h))

    def __call__(self, price: Array, h: Array) -> Array:
        """res (K) of the payoff price . (r, c)."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.asarray(self.image.payoffs @ price + self.ahead(h) - h[self.states])
        if not np.isfinite(found).all():
            raise ModelError(f"a residual of these values and multipliers {_TOO_LARGE}")
        return found

    def shares(self, policy: Policy | Array) -> sparse.csr_array:
        """float64[S, K], pi(a | s) at the choices of s, each wrong by A + 1 roundings at most."""
        model = self.image.model
        if isinstance(policy, Policy):
            p = np.array([float(p) for p in policy.probabilities])
        else:
            p = shares_of_table(model, policy)
        parts = (p, np.arange(model.n_choices), model.choice_start)
        found = sparse.csr_array(parts, shape=(model.n_states, model.n_choices), copy=True)
        found.eliminate_zeros()
        return found

    def evaluate(self, shares: sparse.csr_array) -> tuple[Array, list[Ends]]:
        """The policy's values (float64[p, S]) for the reward and each cost, and what they prove."""
        image = self.image
        pure = len(shares.indices) == image.n_states
        if pure:
            chain = Chain.of(image, shares.indices.astype(np.uint32))
        else:
            moves = (shares @ sparse.diags_array(image.scale) @ self.transitions).tocsr()
            starts, successors = moves.indptr.astype(np.uint64), moves.indices.astype(np.uint32)
            ones, payoffs = np.ones(image.n_states), shares @ image.payoffs
            chain = Chain(starts, successors, moves.data, ones, payoffs)
        spans = _ACCURACY * np.abs(chain.payoffs).max(axis=0)
        start = np.zeros((len(spans), image.n_states))
        found = evaluate_chain(chain, start, np.maximum(spans, sys.float_info.min), _PRODUCTS)
        if pure:
            return found.values, list(zip(*return_bounds(image, found), strict=True))
        ends = [self.of_policy(shares, i, h) for i, h in enumerate(found.values)]
        return found.values, ends

    def of_policy(self, shares: sparse.csr_array, payoff: int, values: Array) -> Ends:
        """Bounds on the return of a policy in one payoff."""
        h, grid = _on_grid(values)
        price = np.eye(self.image.payoffs.shape[1])[payoff]
        res = self(price, h)
        means = shares @ res
        # A + 1 roundings of a share (a sum and a quotient), and A of the mean
        widest = 2 * int(self.image.model.action_counts.max()) + 2
        rate = widest * _UNIT / (1 - widest * _UNIT)
        error = self._error(price, h) * (1 + rate) + rate * Fraction(float(np.abs(res).max()))
        centre = expectation(self.image, h, grid)
        low, high = (Fraction(float(end)) for end in (means.min(), means.max()))
        return (
            centre + (low - error) * self.image.horizon,
            centre + (high + error) * self.image.horizon,
        )

    def mixed(self, own: Array, lam: Array) -> Array:
        """The values of r - lambda c from those of r and c."""
        return np.asarray(own[0] - lam @ own[1:])

    def best_multipliers(self, own: Array) -> Array:
        """lambda for which the bound from the policy's own values is about least."""
        model, horizon = self.image.model, float(self.image.horizon)
        count = model.n_constraints
        if not count:
            return np.zeros(0)
        parts = np.array([self(row, h) for row, h in zip(np.eye(count + 1), own, strict=True)])
        means = own @ self.image.law
        budgets = np.array([float(d) for d in model.budgets])

        def bound(lam: Array) -> float:
            price = np.concatenate([[1.0], -np.abs(lam)])
            return float(price @ means + (price @ parts).max() * horizon + np.abs(lam) @ budgets)

        spreads = self.image.spreads
        units = (spreads[0] or 1.0) / np.where(spreads[1:] > 0, spreads[1:], 1.0)
        if count == 1:
            found = optimize.minimize_scalar(
                lambda x: bound(np.array([math.exp(x) * units[0]])), bounds=(-12, 12),
                method="bounded", options={"xatol": 1e-6},
            )  # fmt: skip
            best = np.array([math.exp(found.x) * units[0]])
        else:
            best = np.abs(optimize.minimize(bound, units, method="Nelder-Mead").x)
        return best if bound(best) < bound(np.zeros(count)) else np.zeros(count)

    def ceiling(self, lam: Array, values: Array, sweeps: int) -> Fraction:
        """The least upper bound on the optimum from some values, and from sweeps from there."""
        model = self.image.model
        price = np.concatenate([[1.0], -lam])
        spare = sum(
            (Fraction(w) * d for w, d in zip(lam.tolist(), model.budgets, strict=True)), Fraction(0)
        )
        search, choices = Search(self.image), self.image.start[:-1].astype(np.uint32)
        bounds = []
        for _ in range(sweeps + 1):
            found = search.ahead(_centred(values), price, choices)
            bounds.append(found.ceiling + spare)
            values = found.improved
        return min(bounds)

    def _error(self, price: Array, h: Array) -> Fraction:
        height = Fraction(float(np.abs(h).max()))
        return self.image.residual_error([Fraction(w) for w in price.tolist()], height)


def _centred(values: Array) -> Array:
    """The values less the middle of their range, so that they round to a finer grid."""
    return np.asarray(values - (values.max() / 2 + values.min() / 2))


def _on_grid(values: Array) -> tuple[Array, float]:
    """Such values, rounded to multiples of 1 / grid; and grid."""
    centred = _centred(values)
    height = float(np.abs(centred).max())
    if not math.isfinite(height):
        raise ModelError(
            "the values leave the range of double precision; use solve, which is exact"
        )
    grid = 2.0 ** (_SIGNIFICANT - math.frexp(height)[1]) if height else 1.0
    if not math.isfinite(grid):
        return np.zeros_like(centred), 1.0
    return np.round(centred * grid) / grid, grid
