"""Conditioned policies by enumerating all trajectories: no recursion over remaining targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from holdfast.solvers.target_returns.returns.process import ReturnProcess, Units

History = tuple[tuple[int, int, Units], ...]
"""(state, action, rewards) of the steps so far."""
Acting = Callable[[History, int], Sequence[Fraction]]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A whole episode, its probability and its return in units."""

    steps: History
    probability: Fraction
    total: Units


def trajectories(process: ReturnProcess, acting: Acting) -> list[Trajectory]:
    """All episodes of positive probability under a policy of histories."""
    found: list[Trajectory] = []

    def extend(steps: History, state: int, chance: Fraction) -> None:
        if len(steps) == process.horizon:
            coordinates = zip(*(r for _, _, r in steps), strict=True)
            found.append(Trajectory(steps, chance, tuple(map(sum, coordinates))))
            return
        for a, p in enumerate(acting(steps, state)):
            for weight, rewards, after in process.outcomes[state][a] if p else ():
                extend((*steps, (state, a, rewards)), after, chance * p * weight / process.chance)

    extend((), process.start, Fraction(1))
    return found


def behaviour(process: ReturnProcess) -> Acting:
    """The behaviour policy."""
    return lambda steps, state: [
        Fraction(w, process.spread) for w in process.behaviour[len(steps)][state]
    ]


def conditioned(process: ReturnProcess, target: Units) -> Acting:
    """Pr(action | history, return = target) by Bayes' rule over all episodes; beta where the
    history and the target exclude each other."""
    episodes = trajectories(process, behaviour(process))

    def acting(steps: History, state: int) -> Sequence[Fraction]:
        t = len(steps)
        joint = [Fraction(0)] * len(process.outcomes[state])
        for one in episodes:
            if one.steps[:t] == steps and one.steps[t][0] == state and one.total == target:
                joint[one.steps[t][1]] += one.probability
        total = sum(joint)
        return [p / total for p in joint] if total else behaviour(process)(steps, state)

    return acting
