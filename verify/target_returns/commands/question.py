"""What ``holdfast tune`` was asked: its options, the tuning they make, and what it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal
from math import inf, isfinite
from typing import Any

import click

from holdfast.solvers.strict import shortened
from holdfast.solvers.target_returns import Surface, Tuning
from holdfast.solvers.target_returns.gaussian.kernels import Kernel
from holdfast.solvers.target_returns.tuning.assumptions import full

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
        trust_prior=options.trust_prior,
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
    variance = deviation * deviation if deviation > 0 else 0.0
    if not 0 < variance < inf:
        raise click.BadParameter(
            f"--{name} has the deviation {deviation}; give MEAN DEVIATION NOISE, the last two "
            "above zero, and with a square that float64 holds"
        )
    return Surface(Kernel(options.kernel, variance, found), noise, mean)


def head_of(tuning: Tuning, grid: Table, options: Options) -> dict[str, Any]:
    """All that decides what is proposed, but for the number of evaluations, and the program."""
    digest = hashlib.sha256(tuning.points.tobytes()).hexdigest()[:16]
    names = "limit method lipschitz noise_bound confidence delta kernel cost reward accuracy"
    ends = [end if isfinite(end) else None for end in tuning.cost_range]  # strict JSON has no inf
    return {
        "journal": "holdfast tune, 1",
        "grid": f"{len(grid.rows)} targets ({', '.join(grid.names)}), digest {digest}",
        "seeds": sorted(tuning.seeds),
        **{name: getattr(options, name) for name in names.split()},
        "tolerance": tuning.tolerance,
        "lengths": _kernel(tuning.cost).lengths,
        "reward_lengths": _kernel(tuning.reward).lengths,
        "cost_range": ends,
        "observe": options.observe,
    }


def promise(tuning: Tuning) -> str:
    """What holds under the `conditions`."""
    least = Context(28, ROUND_DOWN).subtract(Decimal(1), Decimal(repr(tuning.failure)))
    sure = "" if tuning.method == "losbo" else f"with probability at least {least} "
    return (
        f"Safe means: {sure}no target is evaluated whose expected cost is above "
        f"{full(tuning.limit)}. That rests on what nobody has checked but you:"
    )


def conditions(tuning: Tuning, names: tuple[str, ...]) -> Iterator[str]:
    """What the promise rests on."""
    seeds = ", ".join(map(str, tuning.seeds[:8])) + (", ..." if len(tuning.seeds) > 8 else "")
    yield f"the expected cost of each seed (target {seeds}) is at most {full(tuning.limit)}"
    if tuning.lipschitz is not None:
        yield (
            f"expected costs differ by at most {full(tuning.lipschitz)} times the Euclidean "
            f"distance of two targets, in the units of {', '.join(names)} as they are"
        )
    if tuning.noise_bound is not None:
        yield f"no observed cost is further than {full(tuning.noise_bound)} from the expected cost"
        return
    yield f"{_process(tuning.cost, 'cost', names)}, which were chosen without a look at these costs"
    yield (
        "each observed cost is the expected one plus independent Gaussian noise of standard "
        f"deviation {full(tuning.cost.noise)}"
    )
    low, high = tuning.cost_range
    if (low, high) != (-inf, inf):
        yield f"no expected cost is outside {full(low)} to {full(high)}"


def basis_of_reward(tuning: Tuning, names: tuple[str, ...]) -> str:
    """What an interval of the reward rests on."""
    failure = full(tuning.failure * (2 if tuning.confidence == "one-sided" else 1))
    return (
        f"the interval of the reward fails with a probability of at most {failure}, if "
        f"{_process(tuning.reward, 'reward', names)}, with noise of standard deviation "
        f"{full(tuning.reward.noise)}; safety does not rest on that"
    )


def _process(surface: Surface, name: str, names: tuple[str, ...]) -> str:
    kernel = _kernel(surface)
    pairs = zip(names, kernel.lengths, strict=True)
    return (
        f"expected {name}s are, as a function of the target, a draw from a Gaussian process with "
        f"mean {full(surface.prior_mean)}, variance {full(kernel.variance)} and a kernel "
        f"{kernel.family} of lengths {', '.join(f'{name} {full(x)}' for name, x in pairs)}"
    )


def _kernel(surface: Surface) -> Kernel:
    assert isinstance(surface.kernel, Kernel)
    return surface.kernel
