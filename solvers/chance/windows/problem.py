"""Window constraints: from every safe state, the next T steps are safe with probability 1 - alpha.

    Pr^pi(s_1, ..., s_T all safe | s_0 = s) >= 1 - alpha    for every safe s,   pi stationary.

This is the problem and the exact risks of any stationary policy; see `window_optimum` for where the
best policy can be found exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ...cmdp.policies import Policy, check_policy
from ...errors import ModelError
from ...exact import format_rational, to_fraction
from ...models.cmdp import CMDP
from ...sequences import listed
from ..horizon.problem import checked_states


@dataclass(frozen=True, slots=True)
class WindowProblem:
    """A window-constrained problem.

    Parameters
    ----------
    model: dynamics, reward, discount and initial law; its costs are ignored.
    unsafe: the states to avoid; sorted when kept.
    window: T >= 1, the number of steps that a window looks ahead.
    level: alpha in [0, 1), the risk allowed to each window.
    additive: charge the expected number of unsafe states in a window in place of the probability
        that there is one.
    everywhere: False constrains only the window that begins at time 0, under the initial law.

    Raises
    ------
    ModelError: on unsafe states that are not states, T < 1, or a level outside [0, 1).
    """

    model: CMDP
    unsafe: tuple[int, ...]
    window: int
    level: Fraction
    additive: bool = False
    everywhere: bool = True

    def __post_init__(self) -> None:
        put, size = object.__setattr__, self.model.n_states
        unsafe = listed(self.unsafe, "unsafe", ordered=False)
        put(self, "unsafe", checked_states(tuple(dict.fromkeys(unsafe)), size))
        if self.window < 1:
            raise ModelError(f"the window has {self.window} steps; give at least 1")
        try:
            put(self, "level", to_fraction(self.level, "level"))
        except ValueError as problem:
            raise ModelError(str(problem)) from problem
        if not 0 <= self.level < 1:
            raise ModelError(
                f"the level is {self.level}; it must lie in [0, 1) (at 1 nothing is constrained)"
            )

    @property
    def safe(self) -> tuple[int, ...]:
        """The states that are not unsafe."""
        return tuple(s for s in range(self.model.n_states) if s not in self.unsafe)

    @property
    def deciding(self) -> tuple[int, ...]:
        """The states with more than one choice."""
        return tuple(s for s, n in enumerate(self.model.action_counts.tolist()) if n > 1)

    def choices(self, state: int) -> range:
        """The choices of a state."""
        return range(*self.model.choice_start[state : state + 2].tolist())

    def arrival(self, choice: int) -> list[tuple[int, Fraction, int, int]]:
        """(successor, probability, charge on arrival, whether the window goes on) of a choice."""
        bad = self.unsafe
        return [
            (t, p, int(t in bad), int(self.additive or t not in bad))
            for t, p in self.model.transition_row(choice)
        ]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "kind": "windows",
            "model": self.model.to_dict(),
            "unsafe": list(self.unsafe),
            "window": self.window,
            "level": format_rational(self.level),
            "additive": self.additive,
            "everywhere": self.everywhere,
        }


def window_risks(
    problem: WindowProblem, policy: Policy, steps: int | None = None
) -> tuple[Fraction, ...]:
    """For each state the risk of a window of `steps` (default T) that begins there, exactly.

    Raises
    ------
    ModelError: if the policy does not fit the model.
    """
    check_policy(problem.model, policy)
    rows = [
        [(k, p) for k in problem.choices(s) if (p := policy.probabilities[k])]
        for s in range(problem.model.n_states)
    ]
    risks = [Fraction(0)] * len(rows)
    for _ in range(problem.window if steps is None else steps):
        ahead = action_risks(problem, risks)
        risks = [sum((p * ahead[k] for k, p in row), Fraction(0)) for row in rows]
    return tuple(risks)


def action_risks(problem: WindowProblem, later: Sequence[Fraction]) -> list[Fraction]:
    """For each choice its risk, where windows that go on from a state have the risk `later`."""
    return [
        sum((p * (u + on * later[t]) for t, p, u, on in problem.arrival(k)), Fraction(0))
        for k in range(problem.model.n_choices)
    ]


def excess_risk(problem: WindowProblem, policy: Policy) -> Fraction:
    """The largest risk of a constrained window, less alpha: at most 0 if the policy is allowed."""
    risks = window_risks(problem, policy)
    if problem.everywhere:
        return max((risks[s] for s in problem.safe), default=problem.level) - problem.level
    start = problem.model.initial_vector().fractions()
    return sum((p * r for p, r in zip(start, risks, strict=True)), -problem.level)
