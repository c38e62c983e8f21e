"""Landscapes: a tuning, with the costs and rewards that its targets have and the noise to come.

The grid, the limit, the seeds and L are fixed before the surfaces are drawn, from a stream of their
own; nothing is conditioned on them.  Kernels are given as matrices of floats, so that the process
is exactly the one that the tuner has in mind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from holdfast.solvers.target_returns import Proposal, Surface, Tuner, Tuning
from holdfast.solvers.target_returns.gaussian.checks import Floats
from holdfast.solvers.target_returns.gaussian.confidence import lipschitz_bound
from holdfast.solvers.target_returns.gaussian.kernels import GridKernel, Kernel

from ...binding.draws import Draw, philox
from ...binding.family import Family, OutOfScope

LONGEST = 60
"""Observations after which a path is given up: most explorations of these grids stop before."""


@dataclass(frozen=True, slots=True)
class Landscape:
    """A tuning and what it will meet: costs, rewards: N each; noise: of reward and cost by step."""

    tuning: Tuning
    costs: tuple[float, ...]
    rewards: tuple[float, ...]
    noise: tuple[tuple[float, float], ...]

    def steps(self) -> Iterator[tuple[Tuner, Proposal | None]]:
        """The tuner before each observation, with what it proposes, and in the end with None."""
        tuner = Tuner(self.tuning)
        for reward, cost in self.noise:
            proposal = tuner.ask()
            if proposal is None:
                break
            yield tuner, proposal
            at = proposal.index
            tuner.tell(proposal, self.rewards[at] + reward, self.costs[at] + cost)
        yield tuner, None

    def finished(self) -> Tuner:
        """The tuner after all its observations."""
        *_, (tuner, _) = self.steps()
        return tuner

    def explored(self) -> Tuner:
        """The tuner after exploring; OutOfScope if a path, LONGEST if drawn, ends before that."""
        for tuner, proposal in self.steps():
            if proposal is not None and proposal.phase == "maximise":
                return tuner
        raise OutOfScope(tuner.stopped or f"it still explores after {len(self.noise)} observations")

    def is_lipschitz(self) -> bool:
        """Whether L is valid, exactly; always where there is none."""
        squared = Fraction(self.tuning.lipschitz or 0) ** 2
        grid = [[Fraction(x) for x in row] for row in self.tuning.points.tolist()]
        return self.tuning.lipschitz is None or all(
            (Fraction(self.costs[i]) - Fraction(self.costs[j])) ** 2
            <= squared * sum((a - b) ** 2 for a, b in zip(grid[i], grid[j], strict=True))
            for i, j in combinations(range(len(grid)), 2)
        )


def drawn(tuning: Tuning, truth: Surface, longest: int, *words: object) -> Landscape:
    """Costs and rewards of the process `truth`, observed with its noise."""
    stream = philox("landscape", *words)
    count = len(tuning.points)
    matrix = np.stack([truth.kernel.rows(tuning.points, index) for index in range(count)])
    means = np.full(count, truth.prior_mean)
    costs, rewards = stream.multivariate_normal(means, matrix, 2, method="eigh")
    noise = truth.noise * stream.standard_normal((longest, 2))
    pairs = tuple((float(reward), float(cost)) for reward, cost in noise)
    return Landscape(tuning, tuple(costs.tolist()), tuple(rewards.tolist()), pairs)


def grid(side: int) -> Floats:
    """side x side targets in the unit square."""
    return np.array([(i, j) for i in range(side) for j in range(side)]) / max(side - 1, 1)


def surface(points: Floats, length: float, noise: float, shrunk: float = 1.0) -> Surface:
    """A Gaussian kernel of variance 1 as its matrix of floats; `shrunk` shortens the length."""
    kernel = Kernel("rbf", 1.0, (length / shrunk,) * 2)
    return Surface(GridKernel(kernel.matrix(points, points)), noise)


def settings(
    draw: Draw, shrunk: float = 1.0, louder: float = 1.0, **fixed: Any
) -> tuple[Tuning, Surface]:
    """A tuning on a small grid under one of the rules, and the truth, of which L is.

    shrunk, louder: by how much the truth's length is shorter and its noise larger than the model's;
    fixed: fields of the tuning.
    """
    points = grid(draw.integer(2, 4))
    length, noise = draw.choice((1.0, 2.0, 0.6, 0.3)), draw.choice((0.1, 0.3))
    model = surface(points, length, noise)
    truth = surface(points, length, noise * louder, shrunk)
    rule: Any = fixed.get("rule") or draw.choice(("lipschitz", "direct", "printed"))
    seeds, limit = (draw.integer(0, len(points) - 1),), draw.choice((1.0, 0.5, 1.5))
    method: Any = fixed.get("method", draw.choice(("pls", "safeopt", "stageopt", "goose")))
    losbo = method == "losbo"
    tuning = Tuning(
        points,
        seeds,
        limit,
        model,
        model,
        failure=0.1,
        method=method,
        noise_bound=draw.choice((1.0, 2.0, 3.0)) * noise if losbo else None,
        rule=rule,
        lipschitz=None if rule == "direct" else lipschitz_bound(truth.kernel, points, 0.05),
        tolerance=draw.choice((0.2, 0.4)),
        initial="seeds" if losbo or rule == "direct" else draw.choice(("seeds", "printed")),
        confidence=draw.choice(("bayes", "exact", 0.5, 1.0, 2.0)),
        evaluations=draw.integer(1, 12),
        unsafe_comparison=True,  # as printed, beyond contradictions
    )
    return replace(tuning, **fixed), truth


def landscapes(
    *, steep: float = 1.0, valid: bool = True, shrunk: float = 1.0, **fixed: Any
) -> Family:
    """Drawn landscapes of every rule and method.

    steep: what L is divided by, which breaks the assumption on it; valid: whether landscapes are
    drawn again that break it by chance, with probability 0.05 at most; shrunk, fixed: as in
    `settings`.
    """

    def base(draw: Draw) -> Landscape:
        tuning, truth = settings(draw, shrunk, **fixed)
        if tuning.lipschitz is not None:
            tuning = replace(tuning, lipschitz=tuning.lipschitz / steep)
        found = drawn(tuning, truth, LONGEST, draw.integer(0, 2**40))
        if valid and not found.is_lipschitz():
            raise OutOfScope("the costs are steeper than L, with a probability of at most 0.05")
        return found

    return Family("Gaussian landscapes on small grids", base)
