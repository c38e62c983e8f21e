"""What trained networks attain under a joint chance constraint, beside the exact optimum.

Two judgements of a network: its greedy policy evaluated exactly on the model, and what fresh
episodes show.  Flips are chosen from the second, as without a model they would have to be, and
then judged by the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from holdfast.solvers.chance import (
    ChanceProblem,
    ChanceSolution,
    FlipBetween,
    best_flip,
    evaluate_policy,
    evaluate_step_flip,
    frontier,
)
from holdfast.solvers.errors import ModelError

from ..report.ladder import Request
from .measured import MARGIN

Pair = tuple[Fraction, Fraction]
"""(value, risk) of a policy; values are UN-normalised sums."""


@dataclass(frozen=True, slots=True)
class Network:
    """A trained policy.  limit: of its training; table: int[T, M, S], its greedy choices; exact:
    its value and risk; measured: fresh episodes of it."""

    run: Any
    policy: Any
    limit: Fraction
    table: Any
    exact: Pair
    measured: Any


@dataclass(frozen=True, slots=True)
class Flips:
    """What the networks of one training seed attain at a level.

    best: value and risk of the best single one; mixture: of the best flip by their exact numbers;
    episode, step: of the flip chosen from measurements, its coin tossed once an episode or at every
    step, exactly; measured: fresh episodes of the last.  None where no network is safe enough.
    """

    seed: int
    best: Pair | None
    mixture: Pair | None
    between: FlipBetween | None
    episode: Pair | None
    step: Pair | None
    measured: Any


@dataclass(frozen=True, slots=True)
class Trained:
    """All that was trained with one algorithm.  seeds: those of which there are networks."""

    algorithm: str
    networks: Sequence[Network]
    flips: Mapping[Fraction, Sequence[Flips]]

    @property
    def seeds(self) -> int:
        """Of how many different trainings the networks are."""
        return len({one.run.training.seed for one in self.networks})


def networks(
    request: Request, algorithm: str, task: str, seed: int, limits: Sequence[Fraction]
) -> list[Network]:
    """The networks of a seed, one a limit, those that are missing left out."""
    found = []
    for limit in limits:
        run = request.obtain(algorithm, task, seed, {**request.changes, "limit": float(limit)})
        if run is not None:
            found.append(_network(request, run, task, limit))
    return found


def _network(request: Request, run: Any, task: str, limit: Fraction) -> Network:
    from holdfast.solvers.neural.parts import evaluation, judging, tasks

    policy, problem = run.result(), tasks.problem_of(task)
    assert problem is not None
    flag = run.training.options.first_violation
    table = judging.table(policy, task, first_violation=flag)
    words = ("ladder", "network", run.training.digest)
    measured = evaluation.evaluate(
        policy, task, episodes=request.episodes, seed_words=words, first_violation=flag
    )
    return Network(run, policy, limit, table, evaluate_policy(problem, table), measured)


def flips(
    request: Request, task: str, problem: ChanceProblem, found: Sequence[Network], level: Fraction
) -> Flips:
    """What these networks attain at the level."""
    from holdfast.solvers.neural.chance import measured_flip

    seed = found[0].run.training.seed
    exact = [(one.exact[1], one.exact[0]) for one in found]
    safe = [one.exact for one in found if one.exact[1] <= level]
    best = max(safe, default=None)
    mixture = best_flip(exact, level)
    reached = None if mixture is None else _mixed(mixture, [one.exact for one in found])
    try:
        seen = [one.measured for one in found]
        between = measured_flip(seen, level, margin="upper", confidence=MARGIN)
    except ModelError:  # no network is measured to be safe enough
        return Flips(seed, best, reached, None, None, None, None)
    safer, bolder = found[between.safer], found[between.bolder]
    step = evaluate_step_flip(problem, safer.table, bolder.table, between.probability)
    measured = _simulated(request, task, safer, bolder, between.probability)
    episode = _mixed(between, [one.exact for one in found])
    return Flips(seed, best, reached, between, episode, step, measured)


def _mixed(flip: FlipBetween, pairs: Sequence[Pair]) -> Pair:
    """Value and risk of the flip once an episode: both are linear in the coin."""
    share = flip.probability
    (value, risk), (more, bolder) = pairs[flip.safer], pairs[flip.bolder]
    return (1 - share) * value + share * more, (1 - share) * risk + share * bolder


def _simulated(
    request: Request, task: str, safer: Network, bolder: Network, probability: Fraction
) -> Any:
    """Fresh episodes of the algorithm as it is printed: the coin is tossed at every step."""
    from holdfast.solvers.neural.chance import FlippingPolicy
    from holdfast.solvers.neural.parts import evaluation

    policy = FlippingPolicy(safer.policy, bolder.policy, probability, form="printed")
    digests = (safer.run.training.digest, bolder.run.training.digest)
    words = ("ladder", "step", *digests, str(probability))
    return evaluation.evaluate(
        policy,
        task,
        episodes=request.episodes,
        seed_words=words,
        first_violation=safer.run.training.options.first_violation,
    )


def optima(task: str, levels: Sequence[Fraction]) -> dict[Fraction, ChanceSolution]:
    """Level -> the exact optimum.

    Raises ModelError for a level below the least risk that any policy has.
    """
    from holdfast.solvers.neural.parts.judging import envelope

    found = {level: envelope(task, level) for level in levels}
    for level, solution in found.items():
        if solution.value is None:
            raise ModelError(f"level {float(level):g}: {solution.explanation()}")
    return found


def optimum_at(task: str, limit: Fraction) -> Fraction | None:
    """The exact optimum where the risk is at most the limit; None where no policy can be so safe.

    At a limit of 1 or more nothing is bounded, and the envelope ends at the optimum.
    """
    from holdfast.solvers.neural.parts.judging import envelope, exact_world

    if limit < 1:
        return envelope(task, limit).value
    return frontier(exact_world(task).problem, most=2).kinks[-1][1]


def above_the_optimum(pair: Pair, solved: Sequence[ChanceSolution]) -> bool:
    """Whether a policy would have more than any policy can: it lies above a supporting line.

    For each level a with optimum v and multiplier m, every policy has value <= v + m (risk - a).
    """
    value, risk = pair
    return any(
        value > one.value + one.multiplier * (risk - one.level)
        for one in solved
        if one.value is not None and one.multiplier is not None
    )
