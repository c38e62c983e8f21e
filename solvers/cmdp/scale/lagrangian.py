"""The search for multipliers and policies at once.

Every evaluated policy is a column; the master program mixes them.  Around a column of the mixture
the dual function is modelled to first order (``improvement_model``); the policy that is best at the
minimum of the model is evaluated next.  Policies and multipliers converge together, so that the
search costs little more than one policy iteration.  The minimum is sought for budgets moved a
little beyond the true ones, so that new columns come to lie on all sides of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ...errors import ModelError
from .bounds import Column
from .evaluation import visits_of
from .image import AbstractImage, Array
from .improvement_model import Box, ImprovementModel, Minimum
from .master import Mixture, best_mixture
from .search import Search, Sweep, values_of

#: Called with the stage, the bounds so far (None while there are none) and the seconds so far.
Progress: TypeAlias = Callable[[str, Fraction | None, Fraction | None, float], None]

#: Budgets are cut off at this many horizons: beyond all returns, and small enough for floats.
_REACH = 8
#: Just within the range of doubles: what is larger is refused, or counts as no bound at all.
_FLOATS = 10**300
#: A gap that is a larger share of all that could be gained is not due to rounding.
_ROUNDED = 1e-8
#: How far multipliers may move at once.  More: fewer rounds where they are far off, and policies
#: tried at prices that mean little.
_STEP = 4
#: The same once a feasible mixture is known and the caps need only keep the program bounded.
_FAR = 1e9
#: Policies in all.  More: models that converge slowly are closed at the cost of a larger program.
_COLUMNS = 300
#: By what part of the way to the mixture's worst column the budgets are moved, doubled while idle.
#: Less: new columns fall on one side only; more: they are far from the optimum.
_PUSH = 0.1
#: A new policy is evaluated to this share of what it promises.  Less: more products a policy; more:
#: the mixture is chosen by errors of evaluation.
_SHARE = 0.05
#: While more than this share of all is to be gained, multipliers fall by a step at most ...
_EARLY = 1e-3
#: ... where they are not already this much smaller than typical ones, which may be zero.
_SMALL = 100
#: The first policy is improved up to this share of all: a rough start is cheap, and soon left.
_COLD = 0.005
#: Accuracy of the visits, on the mean.  They only weigh the states in the model.
_VISITS = 0.1
#: Returns and minima are sought this much closer than the width, so that their errors do not add up
#: to it.
_FINE = 16
#: Proofs that do not halve the gap.  More: some rounds more before the search gives up.
_PROOFS = 6
#: Rounds without progress before the latest policy, not the most used one, is the base.
_PATIENCE = 2
#: Rounds without a mixture that meets the budgets, after which feasibility is settled first.  Less:
#: the question is asked where another policy would have answered it.
_INFEASIBLE_AFTER = 6


@dataclass(frozen=True)
class Ceiling:
    """A proved upper bound on the optimum, at some multipliers, and the sweep that proves it."""

    value: Fraction
    multipliers: tuple[Fraction, ...]
    proof: Sweep


@dataclass
class _Pace:
    """How a search fares: rounds without progress, proofs tried, rounds that broke a budget."""

    idle: int = 0
    proofs: int = 0
    violated: int = 0
    push: float = _PUSH

    def step(self, *, halved: bool, met: bool) -> None:
        """Count a round, which halved what was expected or not, and met the budgets or not."""
        self.violated = 0 if met else self.violated + 1
        self.idle = 0 if halved else self.idle + 1
        self.push = min(1.0, 2 * self.push) if self.idle else _PUSH


@dataclass
class Lagrangian:
    """The state of a search; whatever it holds at any moment is a valid enclosure.

    Attributes:
        image: the model in its own units; scales: what these are (m + 1), see ``Units``; width:
            what is asked for, in these units; progress: called after every sweep.
        columns: the policies so far; mixture: the best one, over ``mixed``.
        ceiling: the least upper bound so far.
        feasible: whether a mixture that meets the budgets is known to exist.
        stopped: why the search ended.
    """

    image: AbstractImage
    width: float
    progress: Progress | None = None
    scales: tuple[Fraction, ...] = ()
    stage: str = "first policy"
    columns: list[Column] = field(default_factory=list)
    mixture: Mixture | None = None
    mixed: tuple[Column, ...] = ()
    ceiling: Ceiling | None = None
    feasible: bool = False
    stopped: str = ""

    def __post_init__(self) -> None:
        self.since = time.perf_counter()
        self.scales = self.scales or (Fraction(1),) * (1 + self.image.model.n_constraints)
        self.search = Search(self.image, self._pulse)
        # Beyond every return a budget is as good as there: floats need not hold it.
        reach = _REACH * self.image.horizon
        known = self.image.model.budgets
        for i, budget in enumerate(known):
            if budget < -_FLOATS:
                raise ModelError(
                    f"budget {i} is below -1e300 of the cost's own unit, beyond double precision; "
                    "use solve, which is exact"
                )
        self.budgets = np.array([float(max(-reach, min(d, reach))) for d in known])
        self.units = self.search.units[1:] / max(len(self.budgets), 1)
        self.span = (float(self.search.spreads[0]) or 1.0) * float(self.image.horizon)
        self.expected = float("inf")

    # -- what is known ---------------------------------------------------------------------------
    @property
    def lower(self) -> Fraction | None:
        """The certain reward of the best mixture that certainly meets the budgets."""
        return None if self.mixture is None else self.mixture.value

    @property
    def upper(self) -> Fraction | None:
        """The least proved upper bound."""
        return None if self.ceiling is None else self.ceiling.value

    @property
    def done(self) -> bool:
        """Whether the enclosure is as narrow as asked for."""
        low, high = self.lower, self.upper
        return low is not None and high is not None and high - low <= self.width

    @property
    def gap(self) -> float:
        """upper - lower, infinite while one is not known."""
        low, high = self.lower, self.upper
        if low is None or high is None:
            return float("inf")
        return float(min(high - low, Fraction(_FLOATS)))

    def _pulse(self) -> None:
        if self.progress is not None:
            low, high = (_scaled(end, self.scales[0]) for end in (self.lower, self.upper))
            self.progress(self.stage, low, high, time.perf_counter() - self.since)

    # -- the search ------------------------------------------------------------------------------
    def run(self) -> bool:
        """Until ``done`` or nothing helps any more; False if no mixture seems to be feasible.

        When some mixture is ``feasible`` after all, it can be called again.
        """
        multipliers = self._prices() if self.columns else self._start()
        model = self._model(self.recalled(self._base()), None)
        pace = _Pace()
        while pace.proofs < _PROOFS and len(self.columns) < _COLUMNS:
            self.stage = f"policy {len(self.columns) + 1}"
            model = self._rebased(model, pace.idle)
            before, least = self.expected, self._least(model, multipliers)
            multipliers = least.multipliers
            pace.step(halved=self.expected <= before / 2, met=self.lower is not None)
            if pace.violated > _INFEASIBLE_AFTER and not self.feasible:
                return False
            promising = self.expected > self.width / 2
            if promising and self._add(model, multipliers, pace.push, pace.idle % 2 == 1):
                continue
            pace.proofs += 1
            at = self._prices() if promising and pace.proofs % 2 else multipliers
            if self._settles(model.column, at, pace):
                return True
        self.stopped = "no policy improves the mixture noticeably, the rest is rounding"
        if self.gap > _ROUNDED * self.span:
            self.stopped = f"after {len(self.columns)} policies it still narrows, but too slowly"
        return self.lower is not None

    def _rebased(self, model: ImprovementModel, idle: int) -> ImprovementModel:
        """The model around the most used column, or the latest one where that leads nowhere."""
        base = self._base() if idle < _PATIENCE else self.columns[-1]
        return model if base is model.column else self._model(self.recalled(base), model.visits)

    def _settles(self, base: Column, multipliers: Array, pace: _Pace) -> bool:
        """Whether a proof ends the search; if not, what was expected is what the proof has left."""
        gap = self.gap
        self._prove(base, multipliers)
        if not self.done and self.gap > _ROUNDED * self.span:  # the model had promised too little
            if self.gap <= gap / 2:
                pace.proofs = 0
            else:
                self.expected = self.gap
        return self.done

    def _start(self) -> Array:
        """A first column at typical multipliers."""
        price = prices_of(self.units)
        nothing = np.zeros((len(price), self.image.n_states))
        first = self.image.start[:-1].astype(np.uint32)
        self._bound(self.units, self.search.sweep(nothing, price, first))
        column = self.search.cold_column(price, self.units)
        column, found = self.search.improve(price, column, _COLD * self.span)
        self._bound(self.units, found)
        self.keep(column)
        return self.units

    def _base(self) -> Column:
        """The column that the mixture uses most."""
        assert self.mixture is not None
        weights = self.mixture.weights
        return self.columns[max(range(len(weights)), key=weights.__getitem__)]

    def _model(self, base: Column, start: Array | None) -> ImprovementModel:
        chain = self.search.chain_of(self.image.choices(base.moves))
        visits, products = visits_of(chain, self.image.law, start, _VISITS)
        self.search.products += products
        return ImprovementModel.of(self.image, base, visits)

    def _least(self, model: ImprovementModel, start: Array) -> Minimum:
        """The minimum of the model, what it promises over the mixture, and a proved bound there."""
        assert self.mixture is not None
        least = model.least(self.budgets, self._box(start), start, self.columns, self._fine())
        self.expected = min(self.expected, max(0.0, least.value - float(self.mixture.elastic)))
        base, price = model.column, prices_of(least.multipliers)
        choices = self.image.choices(base.moves)
        self._bound(least.multipliers, self.search.sweep(values_of(base), price, choices))
        return least

    def _caps(self) -> Array:
        tried = np.max([column.multipliers for column in self.columns], axis=0)
        return np.asarray((_FAR if self.feasible else _STEP) * np.maximum(tried, self.units))

    def _box(self, around: Array) -> Box:
        """Multipliers worth trying: while much is to be gained, none that are much smaller."""
        early = self.expected > _EARLY * self.span
        floors = np.where(around > self.units / _SMALL, around / _STEP, 0.0)
        return floors if early else np.zeros_like(around), self._caps()

    def _fine(self) -> float:
        return max(self.width / _FINE, 0.01 * min(self.expected, self.span))

    def _prices(self) -> Array:
        assert self.mixture is not None
        return np.array([float(w) for w in self.mixture.multipliers])

    def _add(self, model: ImprovementModel, multipliers: Array, push: float, priced: bool) -> bool:
        """Evaluate a policy that the model recommends; False if all of them are columns already."""
        tries = self._beyond(model, multipliers, push)
        tries = [self._prices(), *tries] if priced else [*tries, self._prices()]
        for trial in tries:
            choices = model.choices(prices_of(trial))
            moves = self.image.moves(choices)
            if not any(np.array_equal(moves, column.moves) for column in self.columns):
                goal = max(_SHARE * min(self.expected, self.span), self.width / _FINE)
                self.keep(self.search.evaluate(choices, values_of(model.column), goal, trial))
                return True
        return False

    def _beyond(self, model: ImprovementModel, multipliers: Array, push: float) -> list[Array]:
        """Prices at the minimum for budgets a little beyond the true ones, farthest side first."""
        way = self._missing()
        moved = self.budgets + push * way
        box = self._box(multipliers)
        least = model.least(moved, box, multipliers, self.columns, self._fine())
        sides = sorted(least.sides, key=lambda side: -float((side[1] - self.budgets) @ way))
        return [at for at, _ in sides]

    def _missing(self) -> Array:
        """From the budgets towards the mixture's worst column, as long as the nearest is far."""
        assert self.mixture is not None
        used = [(float(w), c) for w, c in zip(self.mixture.weights, self.mixed, strict=True) if w]
        away = [column.middle[1:] - self.budgets for _, column in used]
        sizes = [float(np.linalg.norm(a * self.units)) for a in away]
        if self.lower is None:
            return -np.asarray(sum(w * a for (w, _), a in zip(used, away, strict=True)))
        if not all(sizes):
            return np.zeros_like(self.budgets)
        if len(used) == 1:
            return -away[0]
        far = int(np.argmax([w * s * s for (w, _), s in zip(used, sizes, strict=True)]))
        return np.asarray(min(sizes) / sizes[far] * away[far])

    # -- keeping and proving ---------------------------------------------------------------------
    def keep(self, column: Column) -> bool:
        """Add a column, or a better evaluated version of one, and mix again; False if neither."""
        same = [i for i, c in enumerate(self.columns) if np.array_equal(c.moves, column.moves)]
        if not same:
            self.columns.append(column)
        elif column.accuracy < self.columns[same[0]].accuracy:
            self.columns[same[0]] = column
        else:
            return False
        self.mix()
        return True

    def mix(self) -> None:
        """Solve the master program again, and forget the values of columns without weight."""
        caps = [Fraction(float(cap)) for cap in self._caps()]
        self.mixture = best_mixture(self.columns, self.image.model.budgets, caps)
        last = len(self.columns) - 1
        pairs = zip(self.mixture.weights, self.columns, strict=True)
        for place, (weight, column) in enumerate(pairs):
            if not weight and place != last and column.values is not None:
                self.columns[place] = replace(column, values=None)
        self.mixed = tuple(self.columns)

    def _bound(self, multipliers: Sequence[float] | Array, proof: Sweep) -> None:
        exact = tuple(Fraction(float(w)) for w in multipliers)
        allowed = zip(exact, self.image.model.budgets, strict=True)
        value = proof.ceiling + sum((w * d for w, d in allowed), Fraction(0))
        if self.ceiling is None or value < self.ceiling.value:
            self.ceiling = Ceiling(value, exact, proof)

    def _prove(self, base: Column, multipliers: Array) -> None:
        """Prove what the model promises: a tight ceiling, and tight returns of the mixture."""
        self.stage = "proof"
        price = prices_of(multipliers)
        column, found = self.search.polish(price, base, self.width / 4)
        self._bound(multipliers, found)
        self.keep(replace(column, multipliers=multipliers))
        self.refine(self.width / _FINE / self.search.weight(price))

    def refine(self, accuracy: float) -> None:
        """Evaluate the columns of the mixture to an accuracy, as often as the mixture changes."""
        for _ in range(_PROOFS):
            assert self.mixture is not None
            rough = [
                place
                for place, weight in enumerate(self.mixture.weights)
                if weight
                and (self.columns[place].accuracy > accuracy or self.columns[place].values is None)
            ]
            if not rough:
                break
            for place in rough:
                old = self.columns[place]
                self.columns[place] = self._evaluated(old, min(accuracy, old.accuracy))
            self.mix()

    def recalled(self, column: Column) -> Column:
        """The column with its values, which are evaluated again if they were forgotten."""
        if column.values is not None:
            return column
        place = next(i for i, known in enumerate(self.columns) if known is column)
        self.columns[place] = self._evaluated(column, column.accuracy)
        return self.columns[place]

    def _evaluated(self, column: Column, accuracy: float) -> Column:
        known = column.values
        if known is None:  # those of a similar policy are a good start
            known = next(c.values for c in reversed(self.columns) if c.values is not None)
        choices = self.image.choices(column.moves)
        return self.search.evaluate(choices, known, accuracy, column.multipliers)


def prices_of(multipliers: Array) -> Array:
    """float64[m+1], the price (1, -lambda)."""
    return np.concatenate([[1.0], -multipliers])


def _scaled(end: Fraction | None, scale: Fraction) -> Fraction | None:
    return None if end is None else end * scale
