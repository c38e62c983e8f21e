"""Finite-horizon problems with a joint chance constraint, as exact records.

    maximise  E[sum_{t<T} gamma^t r(s_t, a_t) + gamma^T g(s_T)]      (UN-normalised)
    subject to  E[sum_{j <= N} z^(j-1)] <= level,

where N counts the visits to unsafe states at times 1 .. T (and 0, if the start counts).  With
z = 0 the left side is the joint chance Pr(N >= 1), with z = 1 Boole's sum of the marginal chances;
in between it grows with z.  The optimum is over all history-dependent randomised policies: the
state, the time and the number of visits so far (the *memory*) are all that an optimal one uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import ModelError
from ...exact import Array, Rational, Vector, format_rational, to_fraction
from ...models.cmdp import CMDP
from ...sequences import listed

#: Cells (horizon x memories x states) of the largest problem: a table of choices takes 4 bytes for
#: each, and some tens of bytes for each are needed at once.
LARGEST = 50_000_000


@dataclass(frozen=True)
class ChanceProblem:
    """A model, its unsafe states and a horizon; the level is given to the solver.

    Attributes:
        model: dynamics, reward, initial law and discount (1 is allowed); its costs do not count.
        unsafe: distinct states, kept sorted.
        horizon: T >= 1 decisions at times 0 .. T-1, so that s_0 .. s_T are visited.
        counts_start: whether an unsafe s_0 is a visit (by default the window starts at time 1).
        charge: z in [0, 1]; visit j costs z^(j-1).
        reward_after_violation: False earns reward (and the terminal value) only while no unsafe
            state has been visited.
        terminal: g, the value of each state at the end; None is zero.

    Raises ModelError on bad data, and when there are more than `LARGEST` cells (time, memory,
    state).
    """

    model: CMDP
    unsafe: tuple[int, ...]
    horizon: int
    counts_start: bool = False
    charge: Fraction = Fraction(0)
    reward_after_violation: bool = True
    terminal: Vector | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "unsafe", checked_states(self.unsafe, self.model.n_states))
        _check_horizon(self.horizon)
        put(self, "charge", _rational(self.charge, "charge"))
        if not 0 <= self.charge <= 1:
            raise ModelError(
                f"charge is {format_rational(self.charge)}; visit j costs charge^(j-1), so it must "
                "lie in [0, 1]: 0 is the joint chance, 1 is Boole's sum"
            )
        if self.terminal is not None and not isinstance(self.terminal, Vector):
            put(self, "terminal", Vector.of(listed(self.terminal, "terminal")))
        if self.terminal is not None and len(self.terminal) != self.model.n_states:
            raise ModelError(
                f"terminal has {len(self.terminal)} entries for {self.model.n_states} states; "
                "give one value a state"
            )
        self._check_size()

    def _check_size(self) -> None:
        cells = self.horizon * self.levels * self.model.n_states
        if cells > LARGEST:
            less = ", or take a charge of 0 or 1: the memory then has at most 2 values"
            raise ModelError(
                f"horizon is {self.horizon}: with {self.levels} values of the memory and "
                f"{self.model.n_states} states that is {cells} cells (time, memory, state), more "
                f"than the {LARGEST} that a table of choices may have; shorten the horizon"
                f"{less if self.levels > 2 else ''}"
            )

    def choices(self, state: int) -> range:
        """The choices of a state."""
        return range(*self.model.choice_start[state : state + 2].tolist())

    # -- the memory ------------------------------------------------------------------------------
    @property
    def levels(self) -> int:
        """M, how many values the memory takes: visits so far, counted up to M - 1."""
        if 0 < self.charge < 1:
            return self.horizon + 1
        return 1 if self.charge == 1 and self.reward_after_violation else 2

    @cached_property
    def charges(self) -> tuple[Fraction, ...]:
        """What the next visit costs at each memory (M)."""
        return tuple(self.charge**memory for memory in range(self.levels))

    @cached_property
    def is_unsafe(self) -> Array:
        """bool[S]."""
        mask = np.zeros(self.model.n_states, dtype=bool)
        mask[list(self.unsafe)] = True
        return mask

    def memory_after(self, memory: int, state: int) -> int:
        """The memory after an arrival in a state."""
        return min(memory + (state in self.unsafe), self.levels - 1)

    def first_memory(self, state: int) -> int:
        """The memory of an episode that starts in a state."""
        return self.memory_after(0, state) if self.counts_start else 0

    def earns(self, memory: int) -> bool:
        """Whether reward counts at a memory."""
        return self.reward_after_violation or memory == 0

    @cached_property
    def start_risk(self) -> Fraction:
        """The part of the risk that no policy can change: that of an unsafe start that counts."""
        if not self.counts_start:
            return Fraction(0)
        weights = self.model.initial.tolist()
        return Fraction(sum(weights[s] for s in self.unsafe), self.model.initial_denominator)

    # -- the level -------------------------------------------------------------------------------
    def checked_level(self, level: Rational | float) -> Fraction:
        """The exact level; ModelError unless it is a bound that can bind.

        A joint chance is a probability, so its level lies in [0, 1); sums of charges may exceed
        one, so for a charge above 0 any level that is not negative will do.
        """
        value = _rational(level, "level")
        if value < 0:
            raise ModelError(
                f"level is {format_rational(value)}; a risk is never negative, give at least 0"
            )
        if self.charge == 0 and value >= 1:
            raise ModelError(
                f"level is {format_rational(value)}; a joint chance lies in [0, 1], so the level "
                "must lie in [0, 1): with 1 or more nothing is constrained"
            )
        return value

    def to_dict(self, level: Rational | None = None) -> dict[str, Any]:
        """The "joint-chance" document: exact, and with a level complete for a checker.

        Costs and budgets of the model take no part here; a checker refuses a document with some.
        """
        size = self.model.n_states
        unconstrained: dict[str, Any] = {} if level is None else {"costs": [], "budgets": []}
        terminal = Vector((0,) * size) if self.terminal is None else self.terminal
        return {
            "kind": "joint-chance",
            "model": {**self.model.to_dict(), **unconstrained},
            "unsafe": list(self.unsafe),
            "horizon": self.horizon,
            "level": None if level is None else format_rational(to_fraction(level, "level")),
            "counts_start": self.counts_start,
            "charge": format_rational(self.charge),
            "reward_after_violation": self.reward_after_violation,
            "terminal": terminal.to_json(),
        }


def checked_states(states: Sequence[int], size: int) -> tuple[int, ...]:
    """Distinct states, sorted; ModelError naming what is none."""
    found = []
    for state in listed(states, "unsafe", ordered=False):
        if isinstance(state, (bool, np.bool_)) or not isinstance(state, (int, np.integer)):
            raise ModelError(f"unsafe holds {state!r}; it lists states, the ints 0 .. {size - 1}")
        if not 0 <= state < size:
            raise ModelError(
                f"unsafe holds {state}, which is not a state; they are 0 .. {size - 1}"
            )
        if state in found:
            raise ModelError(f"unsafe holds state {state} twice; list each state once")
        found.append(int(state))
    return tuple(sorted(found))


def _check_horizon(horizon: object) -> None:
    if isinstance(horizon, bool) or not isinstance(horizon, int):
        raise ModelError(f"horizon is {horizon!r}; it must be an int, the number of decisions")
    if horizon < 1:
        raise ModelError(
            f"horizon is {horizon}; it must be at least 1: with no decision there is nothing to "
            "choose"
        )


def _rational(value: object, name: str) -> Fraction:
    try:
        return to_fraction(value, name)
    except ValueError as problem:
        raise ModelError(str(problem)) from problem
