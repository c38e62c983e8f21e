"""Finite-horizon processes with rewards on a lattice, and the exact laws of their returns.

Returns are UN-normalised sums of H rewards, vectors of one or more coordinates (reward, cost).
Inside, they are tuples of whole numbers, in units of ``1/scale``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

from ...errors import ModelError
from ...exact import Rational
from ...models.rows import RowReader
from ...sequences import listed
from ..gaussian.checks import count

Units: TypeAlias = tuple[int, ...]
Law: TypeAlias = dict[Units, int]
Outcomes: TypeAlias = tuple[tuple[int, Units, int], ...]
Row: TypeAlias = list[tuple[Fraction, list[Fraction], int]]
_number = RowReader().number


@dataclass(frozen=True)
class ReturnProcess:
    """A process whose behaviour policy may depend on time and state; made by `return_process`.

    outcomes[s][a]: (weight, rewards in units of 1/scale, next state), the weights over `chance`;
    behaviour[t][s][a]: weights over `spread`, for t = 0 .. H-1; start: the first state.
    """

    outcomes: tuple[tuple[Outcomes, ...], ...]
    behaviour: tuple[tuple[tuple[int, ...], ...], ...]
    chance: int
    spread: int
    scale: int
    start: int = 0

    @property
    def horizon(self) -> int:
        """H, the number of rewards of an episode."""
        return len(self.behaviour)

    @property
    def n_coordinates(self) -> int:
        """The number of coordinates of a return."""
        return len(self.outcomes[0][0][0][1])

    @cached_property
    def noise(self) -> Fraction:
        """The least epsilon: every action has one (rewards, next state) of at least 1 - epsilon."""
        likeliest = min(max(w for w, _, _ in row) for rows in self.outcomes for row in rows)
        return 1 - Fraction(likeliest, self.chance)

    @cached_property
    def action_laws(self) -> tuple[tuple[tuple[Law, ...], ...], ...]:
        """[t][s][a]: the return still to come under the behaviour policy, after this action.

        Weights over ``chance * (spread * chance)^(H - 1 - t)``.
        """
        ahead: list[Law] = [{(0,) * self.n_coordinates: 1} for _ in self.outcomes]
        found = []
        for acting in reversed(self.behaviour):
            now = tuple(tuple(_after(row, ahead) for row in rows) for rows in self.outcomes)
            ahead = [_mixed(*pair) for pair in zip(acting, now, strict=True)]
            found.append(now)
        return tuple(reversed(found))

    @cached_property
    def laws(self) -> tuple[tuple[Law, ...], ...]:
        """[t][s]: the same before the action; weights over ``(spread * chance)^(H - t)``."""
        return tuple(
            tuple(_mixed(*pair) for pair in zip(*step, strict=True))
            for step in zip(self.behaviour, self.action_laws, strict=True)
        )

    def in_units(self, target: Sequence[Rational]) -> Units:
        """A target return in units of 1/scale; raises ModelError if it is no sum of rewards."""
        target = listed(target, "the target")
        numbers = [_number(x, f"target[{i}]") * self.scale for i, x in enumerate(target)]
        if len(numbers) != self.n_coordinates:
            raise ModelError(
                f"the target has {len(numbers)} coordinates and a reward of this process has "
                f"{self.n_coordinates}; give one number for each"
            )
        for i, number in enumerate(numbers):
            if number.denominator != 1:
                raise ModelError(
                    f"target[{i}] = {target[i]} is not a multiple of 1/{self.scale}, as every "
                    "return of this process is; return_law lists those that can be asked for"
                )
        return tuple(map(int, numbers))


def return_law(process: ReturnProcess) -> dict[tuple[Fraction, ...], Fraction]:
    """Pr(return = z) under the behaviour policy for every return z that can occur."""
    whole = (process.spread * process.chance) ** process.horizon
    return {
        tuple(Fraction(x, process.scale) for x in z): Fraction(weight, whole)
        for z, weight in sorted(process.laws[0][process.start].items())
    }


def _after(row: Outcomes, ahead: Sequence[Law]) -> Law:
    """The law of reward plus what is ahead."""
    law: Law = {}
    for weight, rewards, state in row:
        for rest, more in ahead[state].items():
            total = tuple(map(int.__add__, rewards, rest))
            law[total] = law.get(total, 0) + weight * more
    return law


def _mixed(weights: Sequence[int], laws: Sequence[Law]) -> Law:
    mixed: Law = {}
    for weight, law in zip(weights, laws, strict=True):
        for total, mass in law.items() if weight else ():
            mixed[total] = mixed.get(total, 0) + weight * mass
    return mixed


def return_process(
    outcomes: Sequence[Sequence[Sequence[tuple[Rational, Sequence[Rational], int]]]],
    behaviour: Sequence[Sequence[Sequence[Rational]]],
    start: int = 0,
) -> ReturnProcess:
    """The process of given rationals.

    Parameters
    ----------
    outcomes: [s][a], a list of (probability, rewards, next state); rewards are per step.
    behaviour: [t][s][a], the probability of action a in state s at time t; H = len(behaviour).

    Raises
    ------
    ModelError: naming the place, if there is no step, probabilities are negative or do not sum to
        1, a state does not exist, or rewards or laws of actions differ in length.
    """
    outcomes, behaviour = listed(outcomes, "outcomes"), listed(behaviour, "behaviour")
    if not len(behaviour) or not 0 <= count(start, "start", 0) < len(outcomes):
        raise ModelError(
            f"there are {len(behaviour)} steps and {len(outcomes)} states, with start {start}; "
            "give at least one step, and a start among the states"
        )
    rows = [
        [
            _row(f"outcomes[{s}][{a}]", row, len(outcomes))
            for a, row in enumerate(listed(actions, f"outcomes[{s}]"))
        ]
        for s, actions in enumerate(outcomes)
    ]
    sizes = [len(actions) for actions in rows]
    acting = [_step(f"behaviour[{t}]", step, sizes) for t, step in enumerate(behaviour)]
    return _assembled(rows, acting, start)


def _assembled(
    rows: list[list[Row]], acting: list[list[list[Fraction]]], start: int
) -> ReturnProcess:
    flat = [one for actions in rows for row in actions for one in row]
    chances, rewards, _ = zip(*flat, strict=True)
    if len(set(map(len, rewards))) != 1:
        raise ModelError("outcomes differ in their number of rewards; give each outcome as many")
    chance, scale, spread = map(_bottom, (chances, rewards, acting))
    table = tuple(tuple(_in_units(row, chance, scale) for row in actions) for actions in rows)
    weights = tuple(tuple(_scaled(law, spread) for law in step) for step in acting)
    return ReturnProcess(table, weights, chance, spread, scale, start)


def _scaled(numbers: Iterable[Fraction], scale: int) -> Units:
    return tuple(int(x * scale) for x in numbers)


def _in_units(row: Row, chance: int, scale: int) -> Outcomes:
    """The outcomes that are possible, each once."""
    merged: Counter[tuple[Units, int]] = Counter()
    for p, rewards, state in row:
        merged[_scaled(rewards, scale), state] += int(p * chance)
    return tuple((weight, *outcome) for outcome, weight in merged.items() if weight)


def _step(where: str, laws: Sequence[Sequence[Rational]], sizes: list[int]) -> list[list[Fraction]]:
    found = [_law(f"{where}[{s}]", law) for s, law in enumerate(listed(laws, where))]
    if [len(law) for law in found] != sizes:
        raise ModelError(
            f"{where} has {[len(law) for law in found]} actions in its states, and the outcomes "
            f"have {sizes}; give a probability for every action of every state"
        )
    return found


def _bottom(numbers: Any) -> int:
    """The least common denominator of nested rows of numbers."""
    if isinstance(numbers, Fraction):
        return numbers.denominator
    return math.lcm(*map(_bottom, numbers))


def _law(where: str, given: Sequence[Rational]) -> list[Fraction]:
    law = [_number(p, f"{where}[{i}]") for i, p in enumerate(listed(given, where))]
    if sum(law) != 1 or min(law) < 0:
        raise ModelError(
            f"{where} has the probabilities {', '.join(map(str, law)) or 'of nothing'}; give "
            'numbers that are not negative and sum to 1 exactly, such as "1/10" for a tenth'
        )
    return law


def _row(where: str, row: Sequence[tuple[Rational, Sequence[Rational], int]], size: int) -> Row:
    outcomes = [listed(one, f"{where}[{i}]") for i, one in enumerate(listed(row, where))]
    if any(len(one) != 3 for one in outcomes):
        raise ModelError(f"{where} has an outcome that is no (probability, rewards, next state)")
    law, found = _law(where, [one[0] for one in outcomes]), []
    for p, (_, given, following) in zip(law, outcomes, strict=True):
        rewards, state = listed(given, f"rewards of {where}"), count(following, "a next state", 0)
        if not len(rewards) or state >= size:
            raise ModelError(
                f"{where} leads to state {state} with {len(rewards)} rewards; give at least one "
                f"reward, and a next state below {size}"
            )
        found.append((p, [_number(x, f"a reward of {where}") for x in rewards], state))
    return found
