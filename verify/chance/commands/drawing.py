"""``chance --plot``: value against risk, and episodes on the map of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from holdfast.solvers.chance import (
    ChanceProblem,
    ChanceSolution,
    count_policies,
    enumerate_policies,
    evaluate_policy,
    frontier,
)
from holdfast.solvers.chance.horizon.episodes import draw_episodes
from holdfast.verify.chance.pictures import Frontier, Map, Point, draw
from holdfast.verify.report.numbers import decimal
from holdfast.verify.report.pictures import write

from .output import risk_name

_ENUMERATED = 5_000
"""Deterministic policies up to which all are shown."""
_KINKS = 40
"""Of the envelope: more are closer than a pixel, and each costs an exact solution."""
_EPISODES = 12
"""Of each of the two policies: fewer hide where they go, more cover the map."""


def draw_solutions(problem: ChanceProblem, solutions: Sequence[ChanceSolution], path: str) -> Path:
    """Draw the solutions into a file; ValueError if its suffix is that of no picture."""
    solved = [solution for solution in solutions if solution.value is not None]
    label, deterministic = _others(problem)
    flips = [
        (
            _point(s.value, s.risk),
            _point(s.safer.value, s.safer.risk),
            _point(s.bolder.value, s.bolder.risk),
        )
        for s in solved
        if s.safer is not None and s.bolder is not None
    ]
    found = frontier(problem, most=_KINKS)
    picture = Frontier(found.kinks, found.complete, deterministic, label, flips)
    grid = _map(problem, solved[0]) if solved else None
    return write(draw(picture, risk_name(problem), grid), path)


def _point(value: Fraction | None, risk: Fraction | None) -> Point:
    assert value is not None
    assert risk is not None
    return risk, value


def _others(problem: ChanceProblem) -> tuple[str, list[Point]]:
    """Deterministic policies: all if they are few, else those that are best under Boole's sum."""
    if count_policies(problem) <= _ENUMERATED:
        return "all deterministic policies", sorted(
            {(policy.risk, policy.value) for policy in enumerate_policies(problem)}
        )
    summed = replace(problem, charge=Fraction(1))
    points = []
    for kink in frontier(summed, most=_KINKS).points:
        memories = np.minimum(np.arange(problem.levels), summed.levels - 1)
        table = kink.choices[:, memories]
        value, risk = evaluate_policy(problem, table)
        points.append((risk, value))
    return "deterministic, best under Boole's sum", points


def _map(problem: ChanceProblem, solution: ChanceSolution) -> Map | None:
    """Episodes of the two policies, where the states lie in the plane."""
    points = problem.model.coordinates
    if not points or len(points[0]) != 2 or solution.safer is None or solution.bolder is None:
        return None
    paths = {
        "safer policy": draw_episodes(problem, solution.safer.choices, episodes=_EPISODES),
        "bolder policy": draw_episodes(problem, solution.bolder.choices, episodes=_EPISODES, key=1),
    }
    if solution.safer is solution.bolder:
        paths = {"policy": paths["safer policy"]}
    title = f"level {decimal(solution.level)}: unsafe states, and episodes drawn at random"
    shown = {name: found.tolist() for name, found in paths.items()}
    return Map(title, points, problem.unsafe, shown)
