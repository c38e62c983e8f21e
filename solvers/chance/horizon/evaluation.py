"""What a policy is worth and risks, exactly: the law of the cells is carried forward in integers.

A policy is a table of choices [T, M, S] (time, memory, state), with exceptions where it
randomises: {(time, memory, state): {choice: probability}}.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from ...errors import ModelError
from ...exact import Rational, common_denominator, to_fraction
from ...models.cmdp import IntegerArray
from ...sequences import objects
from .dynamics import Dynamics, Successors, check_bits, integer_weights
from .problem import ChanceProblem

Cell: TypeAlias = tuple[int, int, int]
#: Probabilities of choices at the (time, memory, state) where a policy does not follow its table.
Mixed: TypeAlias = Mapping[Cell, Mapping[int, Fraction]]


@dataclass(frozen=True, slots=True)
class Layer:
    """The law of one layer: decision i, in cell cells[i], takes choices[i] with mass[i] / scale."""

    time: int
    cells: IntegerArray
    choices: IntegerArray
    mass: IntegerArray
    scale: int
    successors: Successors


def evaluate_policy(
    problem: ChanceProblem, table: Any, mixed: Mixed | None = None
) -> tuple[Fraction, Fraction]:
    """(value, risk) of a policy: UN-normalised reward and the expected sum of charges, exactly.

    table: int[T, M, S], a choice for each time, memory and state (choices are numbered over the
    whole model); mixed: where the policy randomises instead.  Raises ModelError on choices that
    are not the state's and on probabilities that are no distribution.
    """
    dynamics = Dynamics.of(problem)
    return evaluate_table(dynamics, dynamics.check_table(table), check_mixed(dynamics, mixed or {}))


def evaluate_episode_flip(
    problem: ChanceProblem, first: Any, second: Any, probability: Rational
) -> tuple[Fraction, Fraction]:
    """(value, risk) of drawing, once an episode, ``second`` with a probability, else ``first``."""
    share = checked_probability(probability)
    one, other = (evaluate_policy(problem, table) for table in (first, second))
    value, risk = ((1 - share) * a + share * b for a, b in zip(one, other, strict=True))
    return value, risk


def evaluate_step_flip(
    problem: ChanceProblem, first: Any, second: Any, probability: Rational
) -> tuple[Fraction, Fraction]:
    """(value, risk) of drawing anew at every step: ``second`` with a probability, else ``first``.

    This is another policy than the flip once an episode, and it can be riskier than both.
    """
    dynamics, share = Dynamics.of(problem), checked_probability(probability)
    one, other = dynamics.check_table(first), dynamics.check_table(second)
    mixed = {
        (t, n, s): {int(one[t, n, s]): 1 - share, int(other[t, n, s]): share}
        for t, n, s in np.argwhere(one != other).tolist()
    }
    return evaluate_table(dynamics, one, mixed)


def evaluate_table(
    dynamics: Dynamics, table: IntegerArray, mixed: Mixed | None = None
) -> tuple[Fraction, Fraction]:
    """The same for a policy that is known to be valid."""
    value, risk, model = Fraction(0), dynamics.problem.start_risk, dynamics.model
    earns, size = dynamics.earns, model.n_states
    for layer in forward(dynamics, table, mixed):
        kept = earns[layer.cells // size]
        earned = _dot(layer.mass[kept], dynamics.rewards[layer.choices[kept]])
        value += Fraction(earned, layer.scale * dynamics.value_denominator) * (
            model.discount**layer.time
        )
        hits = layer.successors.risky
        weights, common = integer_weights(model, layer.choices, layer.successors)
        mass = layer.mass[layer.successors.owners[hits]] * weights[hits]
        paid = _dot(mass, dynamics.charges[layer.successors.memories[hits]])
        risk += Fraction(paid, layer.scale * common * dynamics.charge_denominator)
    cells, mass, scale = _advance(dynamics, layer)
    end = _dot(mass, dynamics.terminal.ravel()[cells])
    value += Fraction(end, scale * dynamics.value_denominator) * model.discount**dynamics.horizon
    left = _dot(mass, dynamics.residual.ravel()[cells])
    return value, risk + Fraction(left, scale * dynamics.charge_denominator)


def forward(dynamics: Dynamics, table: IntegerArray, mixed: Mixed | None = None) -> Iterator[Layer]:
    """The layers 0 .. T-1 of a policy, over the cells that it reaches."""
    exceptions = _by_time(dynamics, mixed or {})
    cells = np.flatnonzero(dynamics.start)
    mass, scale = dynamics.start[cells], dynamics.model.initial_denominator
    for t in range(dynamics.horizon):
        choices = table[t].ravel()[cells]
        if t in exceptions:
            cells, choices, mass, factor = _split(cells, choices, mass, exceptions[t])
            scale *= factor
        check_bits(scale)
        layer = Layer(t, cells, choices, mass, scale, dynamics.entries(cells, choices))
        yield layer
        if t + 1 < dynamics.horizon:
            cells, mass, scale = _advance(dynamics, layer)


def _advance(dynamics: Dynamics, layer: Layer) -> tuple[IntegerArray, IntegerArray, int]:
    """The cells of the next layer, their mass and its scale."""
    weights, common = integer_weights(dynamics.model, layer.choices, layer.successors)
    mass = layer.mass[layer.successors.owners] * weights
    order = np.argsort(layer.successors.cells, kind="stable")
    targets = layer.successors.cells[order]
    starts = np.flatnonzero(np.concatenate([[True], targets[1:] != targets[:-1]]))
    return targets[starts], np.add.reduceat(mass[order], starts), layer.scale * common


def _by_time(dynamics: Dynamics, mixed: Mixed) -> dict[int, dict[int, Mapping[int, Fraction]]]:
    found: dict[int, dict[int, Mapping[int, Fraction]]] = {}
    for (t, n, s), law in mixed.items():
        found.setdefault(t, {})[n * dynamics.model.n_states + s] = law
    return found


def _split(
    cells: IntegerArray,
    choices: IntegerArray,
    mass: IntegerArray,
    laws: Mapping[int, Mapping[int, Fraction]],
) -> tuple[IntegerArray, IntegerArray, IntegerArray, int]:
    """Decisions with the exceptional cells split by their laws, over a further denominator."""
    rows: list[tuple[int, int, int, Fraction]] = []
    for cell, choice, own in zip(cells.tolist(), choices.tolist(), mass.tolist(), strict=True):
        law = laws.get(cell, {choice: Fraction(1)})
        rows += [(cell, k, own, p) for k, p in law.items() if p]
    places, chosen, masses, probabilities = zip(*rows, strict=True)
    shares, factor = common_denominator(probabilities)
    split = objects(mass * share for mass, share in zip(masses, shares, strict=True))
    return np.array(places), np.array(chosen), split, factor


def _dot(left: IntegerArray, right: IntegerArray) -> int:
    return sum(a * b for a, b in zip(left.tolist(), right.tolist(), strict=True))


def check_mixed(dynamics: Dynamics, mixed: Mixed) -> Mixed:
    """The exceptions, exact; ModelError unless each is a distribution over the state's choices."""
    shape = (dynamics.horizon, dynamics.levels, dynamics.model.n_states)
    for cell in mixed:
        if len(cell) != 3 or not all(0 <= i < size for i, size in zip(cell, shape, strict=True)):
            raise ModelError(f"{cell} is no (time, memory, state); they are below {shape}")
    return {cell: _checked_law(dynamics, cell, law) for cell, law in mixed.items()}


def _checked_law(
    dynamics: Dynamics, cell: Cell, law: Mapping[int, Fraction]
) -> dict[int, Fraction]:
    exact = {k: to_fraction(p, f"probability of choice {k} at {cell}") for k, p in law.items()}
    own = dynamics.problem.choices(cell[2])
    if not all(k in own for k in exact):
        raise ModelError(
            f"the choices at {cell} are {sorted(exact)}; those of its state are {own[0]} .. "
            f"{own[-1]}"
        )
    if sum(exact.values()) != 1 or min(exact.values()) < 0:
        shown = ", ".join(f"{k}: {p}" for k, p in exact.items())
        raise ModelError(f"the law at {cell} is {{{shown}}}; it must be >= 0 with sum 1")
    return exact


def checked_probability(value: Rational) -> Fraction:
    """The exact probability; ModelError outside [0, 1]."""
    share = to_fraction(value, "probability")
    if not 0 <= share <= 1:
        raise ModelError(f"probability is {share}; it must lie in [0, 1]")
    return share
