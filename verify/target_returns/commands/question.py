"""What ``holdfast tune`` was asked: its options, the tuning they make, and what it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

import click

from holdfast.solvers.strict import shortened
from holdfast.solvers.target_returns import Surface, Tuning
from holdfast.solvers.target_returns.gaussian.kernels import Kernel

from .tables import Table, read_seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``tune`` says; cost, reward: (mean, deviation, noise)."""

    observe: str | None
    replay: str | None
    grid: str | None
    seeds: str
    limit: float
    cost: tuple[float, float, float]
    reward: tuple[float, float, float]
    lengths: str
    reward_lengths: str | None
    kernel: str
    method: Any
    lipschitz: float | None
    noise_bound: float | None
    confidence: Any
    delta: float
    cost_range: tuple[float, float] | None
    trust_prior: bool
    tolerance: float | None
    accuracy: float | None
    evaluations: int
    journal: str
    timeout: float
    retries: int
    json_path: str | None
    plot: str | None


def tuning_of(options: Options, grid: Table) -> Tuning:
    """The tuning; raises click.BadParameter or ModelError with what to change."""
    return Tuning(
        points=grid.rows,
        seeds=read_seeds(options.seeds, grid),
        limit=options.limit,
        cost=_surface(options, "cost", options.lengths, grid),
        reward=_surface(options, "reward", options.reward_lengths or options.lengths, grid),
        failure=options.delta,
        method=options.method,
        rule="direct" if options.lipschitz is None else "lipschitz",
        lipschitz=options.lipschitz,
        tolerance=options.cost[1] / 5 if options.tolerance is None else options.tolerance,
        accuracy=options.accuracy,
        cost_range=options.cost_range or (-inf, inf),
        confidence=options.confidence,
        noise_bound=options.noise_bound,
        evaluations=options.evaluations,
    )


def _surface(options: Options, name: str, lengths: str, grid: Table) -> Surface:
    mean, deviation, noise = getattr(options, name)
    try:
        found = tuple(map(float, lengths.split(",")))
    except ValueError:
        found = ()
    if len(found) != len(grid.names):
        raise click.BadParameter(
            f"the lengths of the {name} are {shortened(lengths)}, and the columns "
            f"{', '.join(grid.names)}; give one number a column, separated by commas"
        )
    if not deviation > 0:
        raise click.BadParameter(
            f"--{name} has the deviation {deviation:g}; give MEAN DEVIATION NOISE, the last two "
            "above zero"
        )
    return Surface(Kernel(options.kernel, deviation**2, found), noise, mean)


def head_of(tuning: Tuning, grid: Table, options: Options) -> dict[str, Any]:
    """All that decides what is proposed, but for the number of evaluations, and the program."""
    digest = hashlib.sha256(tuning.points.tobytes()).hexdigest()[:16]
    first = ("limit", "method", "lipschitz", "noise_bound", "confidence", "delta", "kernel")
    more = ("cost", "reward", "lengths", "reward_lengths", "cost_range", "tolerance", "accuracy")
    return {
        "journal": "holdfast tune, 1",
        "grid": f"{len(grid.rows)} targets ({', '.join(grid.names)}), digest {digest}",
        "seeds": tuning.seeds,
        **{name: getattr(options, name) for name in first + more},
        "observe": options.observe,
    }


def promise(tuning: Tuning) -> str:
    """What holds under the `conditions`."""
    sure = "" if tuning.method == "losbo" else f"with probability at least {1 - tuning.failure:g} "
    return (
        f"Safe means: {sure}no target is evaluated whose expected cost is above {tuning.limit:g}. "
        "That rests on what nobody has checked but you:"
    )


def conditions(tuning: Tuning, names: tuple[str, ...]) -> Iterator[str]:
    """What the promise rests on."""
    seeds = ", ".join(map(str, tuning.seeds[:8])) + (", ..." if len(tuning.seeds) > 8 else "")
    yield f"the expected cost of each seed (target {seeds}) is at most {tuning.limit:g}"
    if tuning.lipschitz is not None:
        yield (
            f"expected costs differ by at most {tuning.lipschitz:g} times the Euclidean distance "
            f"of two targets, in the units of {', '.join(names)} as they are"
        )
    if tuning.method == "losbo":
        yield f"no observed cost is further than {tuning.noise_bound:g} from the expected cost"
        return
    kernel = tuning.cost.kernel
    assert isinstance(kernel, Kernel)
    lengths = ", ".join(f"{n} {x:g}" for n, x in zip(names, kernel.lengths, strict=True))
    yield (
        "expected costs are, as a function of the target, a draw from a Gaussian process with mean "
        f"{tuning.cost.prior_mean:g}, variance {kernel.variance:g} and a kernel {kernel.family} of "
        f"lengths {lengths}, which were chosen without a look at these costs"
    )
    yield (
        "each observed cost is the expected one plus independent Gaussian noise of standard "
        f"deviation {tuning.cost.noise:g}"
    )
    low, high = tuning.cost_range
    if (low, high) != (-inf, inf):
        yield f"no expected cost is outside {low:g} to {high:g}"
