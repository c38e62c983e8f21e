"""The search for the least sum of changes: Newton's method over the pairs that can matter.

Only pairs whose price abs(t_i) is near or above one take part (N is much larger than their number);
all pairs are priced now and then, and those above one that were left out come in.  The smoothing is
decreased until the free pairs are as many as the features and their vertex is optimal, which is
seen from its own prices; data with ties never get there and end at the least smoothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ...sequences import Array
from ..flips.dual_newton import Ascent, Columns, SmoothedDual, dense
from .arrays import FlipArrays
from .independence import Independent

_MARGIN = 0.5
"""Below a price of one, from which a pair takes part: a wider one costs longer steps, a narrower
one more rounds in which pairs that were left out come in."""
_SMALL = 2**16
"""Entries of the features up to which all pairs take part from the beginning, and none are kept in
compressed rows: to choose among so few saves nothing."""
_SAMPLE, _SPARSE = 2000, 0.1
"""Pairs of a sample, and the share of its entries that are not zero up to which columns are kept in
compressed rows: dense ones take fewer steps, being whiter, and multiply faster an entry."""
_PART = 4096
"""Pairs whose features are whitened at a time: what is copied stays in the caches."""
_ACCURACY = 1e-7
"""Of the residual before the smoothing is decreased: the path need only be followed, for the vertex
is solved for by itself; a looser one loses the path, a closer one costs steps."""
_STEPS, _ALL_STEPS = 200, 1000
"""Newton steps of one ascent and of the search: far more than either takes where it ends by itself;
the linear program over the pairs in doubt then does the rest."""
_JUMP = 0.2
"""Factor of the smoothing: a smaller one means fewer, longer ascents."""
_FOCUS = 2
"""Jumps after which pairs without changes leave, so that later steps are shorter: earlier, more of
them come back."""
_CHEAP = 8
"""Pairs for each that takes part, below which all are priced after every ascent: that costs no more
than the ascent and brings bounds."""
_FEASIBLE = 1e-3
"""Residual, relative to the moments, at which an ascent that ended early is taken to lack pairs."""
_LEAST = 1e-9
"""Smoothing at which the search ends: with less, rounding of the prices outweighs the room."""
_OPTIMAL = 1e-9
"""Of prices beside one, that a vertex is called optimal: rounding alone is smaller, and the bounds
say how much was lost."""
_PROJECTED = 1e-13
"""Residual of the projection, which nothing makes exact afterwards: near doubles' own rounding."""


@dataclass(frozen=True)
class Found:
    """Where a search ended.

    Attributes:
        y: (n), for the scaled rows; prices: t (N).
        changes: zeta (N); free: the pairs strictly inside, r of them at a vertex.
        vertex: whether it is an optimal vertex up to rounding.
    """

    y: Array
    prices: Array
    changes: Array
    free: Array
    vertex: bool


class Sifting:
    """A search over the pairs of ``data``.

    ``pulse(y, prices)`` is called after every pricing and says whether the bounds are close enough.
    """

    def __init__(
        self, data: FlipArrays, features: Independent, pulse: Callable[[Array, Array], bool]
    ) -> None:
        self.data, self.features, self.pulse = data, features, pulse
        self.pricings = self.steps = 0
        self.members = np.zeros(0, dtype=np.int64)
        self.everything = self.enough = False
        self.moment = data.moments(data.displacement)[features.used]
        few = data.features[:, :: max(1, data.n_pairs // _SAMPLE)]
        large = data.features.size > _SMALL
        self.sparse = large and np.count_nonzero(few) <= _SPARSE * few.size
        self.whitener = np.linalg.inv(features.triangle)
        if self.sparse:  # a whitener that keeps the zeros
            self.whitener = np.diag(1 / np.linalg.norm(features.triangle, axis=0))
        self.white = self.moment @ self.whitener

    def run(self) -> Found:
        """Search from the least-squares prices."""
        y = self.white / max(np.abs(self.white).max(initial=0.0), 1e-300)
        _, prices = self._priced(y)
        reach = self.reach(prices)
        top = min(4 * len(y), int(np.count_nonzero(reach))) or 1
        scale = 1 / max(float(np.partition(reach, -top)[-top]), 1e-300)
        y, prices, reach = scale * y, scale * prices, scale * reach
        high = reach[reach > 1]
        smoothing = float((high - 1) @ high) / max(float(self.white @ y), 1e-300)
        self.everything = self.data.n_pairs * len(y) <= _SMALL
        possible = self.data.up + self.data.down > 0
        self.members = np.flatnonzero(possible if self.everything else reach > 1 - _MARGIN)
        return self._descend(y, smoothing or 1.0)

    def project(self) -> Found:
        """The least sum of squares: one Newton ascent over all pairs that can change."""
        self.members = np.flatnonzero(self.data.up + self.data.down > 0)
        dual = self._dual(kink=0.0)
        state = dual.ascend(self.white / len(self.members), 1.0, _PROJECTED, _STEPS)
        return self._found(dual, state, None, *self._priced(state.y))

    def _descend(self, y: Array, smoothing: float) -> Found:
        """Less smoothing until a vertex is optimal over all pairs, or nothing more is gained.

        After every ascent one of four things happens: the path is followed on; all pairs are priced
        and the bounds suffice; they agree, or the steps are used up; others take part.
        """
        dual, state = self._first_ascent(y, smoothing)
        for jump in itertools.count():
            vertex = self._vertex(dual, state)
            focus = self._focuses(jump)
            onwards = self._onwards(dual, state, vertex, focus)
            at = state.y if vertex is None else vertex[0]
            if not onwards or self.data.n_pairs < _CHEAP * len(self.members):
                found = self._priced(at)
                if self.enough:  # without a vertex of ours
                    return self._found(dual, state, vertex, *found)
            if onwards:
                state = dual.ascend(state.y, state.smoothing, _ACCURACY, _STEPS, _JUMP)
                continue
            reach = self.reach(found[1])
            if not focus and not self._missing(reach):
                return self._found(dual, state, vertex, *found)
            if self.steps + dual.steps > 2 * _ALL_STEPS:
                return self._found(dual, state, None, *found)
            dual = self._regrouped(dual, reach, state, focus)
            state = dual.ascend(at, state.smoothing, _ACCURACY, _STEPS)
        raise AssertionError  # the loop has no end of its own

    def _first_ascent(self, y: Array, smoothing: float) -> tuple[SmoothedDual, Ascent]:
        """Over all pairs at once, if those that take part cannot have the moments."""
        dual = self._dual()
        state = dual.ascend(y, smoothing, _ACCURACY, _STEPS)
        if state.gap > _FEASIBLE * dual.size and not self.everything:
            self.everything = True
            self.members = np.flatnonzero(self.data.up + self.data.down > 0)
            self.steps += dual.steps
            dual = self._dual()
            state = dual.ascend(y, smoothing, _ACCURACY, _STEPS)
        return dual, state

    def _focuses(self, jump: int) -> bool:
        """Whether pairs without changes leave now."""
        return jump == _FOCUS and not self.everything

    def _onwards(self, dual: SmoothedDual, state: Ascent, vertex: object, focus: bool) -> bool:
        """Whether the path goes on: there is no vertex yet, and smoothing and steps are left."""
        left = state.smoothing > _LEAST and self.steps + dual.steps <= _ALL_STEPS
        return vertex is None and left and not focus

    def _missing(self, reach: Array) -> bool:
        """Whether a pair that takes no part has a price above one."""
        missing = reach > 1 + _OPTIMAL
        missing[self.members] = False
        return bool(missing.any())

    def _regrouped(
        self, dual: SmoothedDual, reach: Array, state: Ascent, focus: bool
    ) -> SmoothedDual:
        """The dual over the members, or those with changes, and pairs of prices near to one."""
        near = reach > 1 - _MARGIN / 2
        near[self.members[state.changes != 0] if focus else self.members] = True
        self.members = np.flatnonzero(near)
        self.steps += dual.steps
        return self._dual()

    def _dual(self, kink: float = 1.0) -> SmoothedDual:
        columns = self.whitened(self.members)
        up, down = self.data.up[self.members], self.data.down[self.members]
        return SmoothedDual(columns, self.white, up, down, kink)

    def whitened(self, pairs: Array) -> Columns:
        """The columns (len(pairs), r) of the features used, roughly white."""
        columns = self.data.columns(pairs, self.features.used)
        if self.sparse:
            return csr_array(columns * np.diag(self.whitener))
        for first in range(0, len(columns), _PART):  # in place
            columns[first : first + _PART] = columns[first : first + _PART] @ self.whitener
        return columns

    def _vertex(self, dual: SmoothedDual, state: Ascent) -> tuple[Array, Array] | None:
        """y and zeta of the vertex whose basis the free pairs are, if it is optimal over them."""
        free = state.free
        if len(free) != len(dual.moment):
            return None
        basis = dense(dual.columns[free])
        rest = state.changes.copy()
        rest[free] = 0.0
        try:
            inside = np.linalg.solve(basis.T, dual.moment - rest @ dual.columns)
            y = np.linalg.solve(basis, np.sign(state.prices[free]))
        except np.linalg.LinAlgError:
            return None
        slack = np.minimum(inside + dual.down[free], dual.up[free] - inside)
        signs = inside * np.sign(state.prices[free])
        prices = np.abs(dual.columns @ y)
        bound = rest != 0
        bound[free] = False
        idle = ~bound
        idle[free] = False
        room = np.where(state.prices > 0, dual.up, dual.down) > 0
        if (
            min(slack.min(), signs.min()) < 0
            or prices[bound].min(initial=1) < 1 - _OPTIMAL
            or prices[idle & room].max(initial=0) > 1 + _OPTIMAL
        ):
            return None
        rest[free] = inside
        return y, rest

    def _found(
        self, dual: SmoothedDual, state: Ascent, vertex: tuple[Array, Array] | None, y: Array,
        prices: Array,
    ) -> Found:  # fmt: skip
        self.steps += dual.steps
        changes = np.zeros(self.data.n_pairs)
        changes[self.members] = state.changes if vertex is None else vertex[1]
        free = self.members[state.free]
        return Found(y, prices, changes, free, vertex is not None)

    def _priced(self, white: Array) -> tuple[Array, Array]:
        """The same for the white features."""
        return self.priced(self.whitener @ white)

    def priced(self, used: Array) -> tuple[Array, Array]:
        """y (n) for the scaled rows, from one for the features used (r), and its prices (N)."""
        y = np.zeros(self.data.n_features)
        y[self.features.used] = used
        prices = self.data.prices(y)
        self.pricings += 1
        self.enough = self.pulse(y, prices)
        return y, prices

    def move_columns(self, moves: Array) -> Array:
        """s_j phi_{i_j} of the features used, a row a move: i upwards, N + i downwards."""
        count = self.data.n_pairs
        columns = self.data.columns(moves % count, self.features.used)
        columns *= np.where(moves < count, 1.0, -1.0)[:, None]
        return columns

    def reach(self, prices: Array) -> Array:
        """abs(t_i) where the pair has room in the direction of t_i, else 0."""
        room = np.where(prices > 0, self.data.up, self.data.down)
        return np.where(room > 0, np.abs(prices), 0.0)
