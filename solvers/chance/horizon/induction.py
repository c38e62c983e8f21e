"""Exact backward induction over the candidate choices, in integers over one denominator a layer.

For a multiplier, all optimal policies are a face: every cell has its optimal choices, any selection
of which is optimal.  The *safer* end of the face takes the optimal choice of least risk everywhere,
the *bolder* end the one of greatest risk.  Both ends have the same value - multiplier * risk, so
three integers describe a cell: the value and the risk of the safer end and the risk of the bolder
one.  They are packed into one, which more than halves the work, for it is the number of operations
on integers that costs, hardly their length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ...models.cmdp import IntegerArray
from .candidates import Candidates
from .dynamics import Dynamics, check_bits, integer_weights

Change: TypeAlias = tuple[tuple[int, int, int], int, int, Fraction]


@dataclass(frozen=True, slots=True)
class Packing:
    """value, risk and greater risk in one int: value * 4^bits + risk * 2^bits + greater risk.

    Both risks lie in [0, 2^bits), so sums of packed ints with factors that keep them there are
    packed sums; the value may have any sign.
    """

    bits: int

    def pack(self, values: IntegerArray, risks: IntegerArray) -> IntegerArray:
        """With both risks the same."""
        return (values << (2 * self.bits)) + risks * self.both

    @property
    def both(self) -> int:
        """The factor that puts a risk into both places."""
        return (1 << self.bits) + 1

    @property
    def mask(self) -> int:
        """All ones, bits of them."""
        return (1 << self.bits) - 1

    def values(self, packed: IntegerArray) -> IntegerArray:
        """The values."""
        return packed >> (2 * self.bits)

    def risks(self, packed: IntegerArray) -> IntegerArray:
        """The risks."""
        return (packed >> self.bits) & self.mask

    def greater(self, packed: IntegerArray) -> IntegerArray:
        """The greater risks."""
        return packed & self.mask


@dataclass(frozen=True, slots=True)
class ExactLayer:
    """One layer of the induction.

    cells: those decided; safer, bolder: their choices at both ends of the face; packed: what they
    are worth and risk (over value_scale and risk_scale); open: how many cells had several
    candidates; changes: (cell, safer choice, bolder choice, how much riskier the second is there
    when the bolder end goes on afterwards), where the two differ.
    """

    time: int
    cells: IntegerArray
    safer: IntegerArray
    bolder: IntegerArray
    packed: IntegerArray
    packing: Packing
    value_scale: int
    risk_scale: int
    open: int
    changes: tuple[Change, ...]


class Induction:
    """Exact induction over candidates, for value - multiplier * risk (None: for -risk alone)."""

    def __init__(
        self, dynamics: Dynamics, candidates: Candidates, multiplier: Fraction | None
    ) -> None:
        self.dynamics = dynamics
        self.candidates = candidates
        model, horizon = dynamics.model, dynamics.horizon
        self.decisions = [np.divmod(layer, model.n_choices) for layer in candidates.choices]
        bottoms = [np.unique(model.denominators[k]).tolist() for _, k in self.decisions]
        self.scales = [1] * (horizon + 1)
        for t in reversed(range(horizon)):
            self.scales[t] = self.scales[t + 1] * math.lcm(*bottoms[t])
            check_bits(self.scales[t])
        most = horizon * max(dynamics.charges.tolist()) + max(dynamics.residual.ravel().tolist())
        self.packing = Packing((most * self.scales[0]).bit_length() + 1)
        # What values are over, besides the layer's scale.
        self.value_bottom = dynamics.value_denominator * model.discount.denominator**horizon
        self.value_weight, self.risk_weight = 0, 1
        if multiplier is not None:
            self.value_weight = multiplier.denominator * dynamics.charge_denominator
            self.risk_weight = multiplier.numerator * self.value_bottom

    def layers(self) -> Iterator[ExactLayer]:
        """The layers T-1 .. 0."""
        dynamics, packing = self.dynamics, self.packing
        end = dynamics.model.discount.numerator**dynamics.horizon
        packed = packing.pack(dynamics.terminal.ravel() * end, dynamics.residual.ravel())
        for t in reversed(range(dynamics.horizon)):
            memories, choices = self.decisions[t]
            cells = memories * dynamics.model.n_states + dynamics.model.choice_states[choices]
            scores = self._scores(t, packed, cells, choices)
            layer = self._decide(t, cells, choices, scores)
            packed = np.full(dynamics.n_cells, 0, dtype=object)
            packed[layer.cells] = layer.packed
            yield layer

    def _scores(
        self, time: int, packed: IntegerArray, cells: IntegerArray, choices: IntegerArray
    ) -> IntegerArray:
        """What each decision is worth and risks, packed, over the scale of this layer."""
        dynamics, model, packing = self.dynamics, self.dynamics.model, self.packing
        arrivals = packed.reshape(dynamics.levels, model.n_states).copy()
        risky = dynamics.problem.is_unsafe
        charges = dynamics.charges * (self.scales[time + 1] * packing.both)
        arrivals[:, risky] = arrivals[dynamics.following][:, risky] + charges[:, None]
        successors = dynamics.entries(cells, choices)
        weights, _ = integer_weights(model, choices, successors)
        # Unsafe arrivals were moved to their new memory above, so look under the old one.
        before = successors.memories * model.n_states + successors.states
        scores = np.add.reduceat(arrivals.ravel()[before] * weights, successors.starts)
        top, bottom = model.discount.numerator, model.discount.denominator
        power = top**time * bottom ** (dynamics.horizon - time) * self.scales[time]
        earns = dynamics.earns[cells // model.n_states]
        scores[earns] += dynamics.rewards[choices[earns]] * (power << (2 * packing.bits))
        return scores

    def _decide(
        self, time: int, cells: IntegerArray, choices: IntegerArray, scores: IntegerArray
    ) -> ExactLayer:
        """The safer and bolder choice of each cell."""
        packing = self.packing
        starts = np.flatnonzero(np.concatenate([[True], cells[1:] != cells[:-1]]))
        counts = np.diff(np.concatenate([starts, [len(cells)]]))
        safer, bolder = starts.copy(), starts.copy()
        several = counts > 1
        if several.any():
            members = np.flatnonzero(np.repeat(several, counts))
            first, last = self._ends(scores[members], counts[several])
            safer[several], bolder[several] = members[first], members[last]
        result = scores[safer]
        differ = np.flatnonzero(safer != bolder)
        before, after = (packing.greater(scores[e[differ]]) for e in (safer, bolder))
        result[differ] += after - before
        scale = self.scales[time] * self.dynamics.charge_denominator
        size = self.dynamics.model.n_states
        changes = tuple(
            ((time, *divmod(cell, size)), a, b, Fraction(rise, scale))
            for cell, a, b, rise in zip(
                cells[starts[differ]].tolist(),
                choices[safer[differ]].tolist(),
                choices[bolder[differ]].tolist(),
                (after - before).tolist(),
                strict=True,
            )
        )
        return ExactLayer(
            time,
            cells[starts],
            choices[safer],
            choices[bolder],
            result,
            packing,
            self.scales[time] * self.value_bottom,
            scale,
            int(several.sum()),
            changes,
        )

    def _ends(
        self, scores: IntegerArray, counts: IntegerArray
    ) -> tuple[IntegerArray, IntegerArray]:
        """Among the best of each group, the first of least risk and the first of greatest risk."""
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        risks, greater = self.packing.risks(scores), self.packing.greater(scores)
        total = self.value_weight * self.packing.values(scores) - self.risk_weight * risks
        best = total == np.repeat(np.maximum.reduceat(total, starts), counts)
        lowest = np.where(best, risks, self.packing.mask + 1)
        highest = np.where(best, greater, -1)
        least = lowest == np.repeat(np.minimum.reduceat(lowest, starts), counts)
        most = highest == np.repeat(np.maximum.reduceat(highest, starts), counts)
        return _first(least, starts), _first(most, starts)


def _first(marked: IntegerArray, starts: IntegerArray) -> IntegerArray:
    """The first marked position of each group."""
    positions = np.where(marked.astype(bool), np.arange(len(marked)), len(marked))
    return np.asarray(np.minimum.reduceat(positions, starts))


def start_value(dynamics: Dynamics, layer: ExactLayer) -> tuple[Fraction, Fraction, Fraction]:
    """From layer 0: value and risk of the safer end, and risk of the bolder end."""
    weights, mass = dynamics.start[layer.cells], dynamics.model.initial_denominator
    packing, base = layer.packing, dynamics.problem.start_risk
    value, risk, greater = (
        int(sum((weights * part(layer.packed)).tolist()))
        for part in (packing.values, packing.risks, packing.greater)
    )
    return (
        Fraction(value, layer.value_scale * mass),
        base + Fraction(risk, layer.risk_scale * mass),
        base + Fraction(greater, layer.risk_scale * mass),
    )
