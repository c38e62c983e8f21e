"""Claims on other estimators, and on what lines of the released code compute.

Each reads the lines as they are written, on instances of a few numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from holdfast.solvers.hypergradient import exact_games
from holdfast.solvers.hypergradient.balls import (
    Array,
    Point,
    covariances,
    elementwise,
    leader_advantages,
    number,
    soft_maximum,
)
from holdfast.solvers.hypergradient.exact_games import Game
from holdfast.solvers.hypergradient.exact_traces import END, Step, averaged_sum
from holdfast.theory import Eq, Quantity
from holdfast.theory.hypergradient import baselines as theory

from ...binding.claims import NamedMutant, claim
from ...binding.draws import Draw, PhiloxDraw
from ...binding.family import Family
from ...binding.values import Ball, Values
from ..families import points as families
from ..landmarks import code as landmarks

Steps = tuple[Step, ...]


def _episode(draw: Draw, case: Point) -> Steps:
    """A trajectory of positive probability, by uniform choices, of at most 8 steps."""
    x = draw.choice([s for s, chance in enumerate(case.initial) if chance])
    steps: list[Step] = []
    while x != END and len(steps) < 8:
        b = draw.integer(0, case.policy.shape[1] - 1)
        row = case.transitions[x, b].tolist()
        ends = [END] if sum(row) < 1 else []
        y = draw.choice([*ends, *(t for t, chance in enumerate(row) if chance)])
        steps.append((x, b, y))
        x = y
    return tuple(steps)


def _two_episodes(draw: Draw, case: Point) -> tuple[Steps, ...]:
    return _episode(draw, case), _episode(draw, case)


def _one_episode(draw: Draw, case: Point) -> tuple[Steps, ...]:
    return (_episode(draw, case),)


truth = Quantity("truth", "the indirect sum itself")


def _unbiased() -> Iterator[Values]:
    for index in range(20):
        case, batch = _ONCE.draw(PhiloxDraw("witness", index))
        found = averaged_sum(case, leader_advantages(case), batch)
        yield {theory.estimate: found, truth: covariances(case)}


_ONCE = families.points(forward=True).along(_one_episode)


@claim(
    theory.unique_visits,
    over=_ONCE.with_controls(once=families.points().along(_two_episodes)),
    mutants=(
        NamedMutant("BC-T7-unbiased", Eq(theory.estimate, truth), "HPGD-MC is right", _unbiased),
    ),
)
def unique_visits(case: Point, batch: Sequence[Steps]) -> Iterator[Values]:
    yield {theory.estimate: averaged_sum(case, leader_advantages(case), batch)}


def _backup(draw: Draw) -> tuple[Array, Array, Fraction]:
    """The leader's law, Q(s, a, b) for two leader's actions, the temperature."""
    law = families.laws(draw, 1, 2, least=1)[0]
    return law, families.numbers(draw, 2, 3), draw.choice(families.TEMPERATURES)


@claim(
    theory.code_backup,
    over=Family("action values of a next state", _backup).with_landmarks(
        identity=landmarks.identity
    ),
    witness="identity",
)
def code_backup(case: tuple[Array, Array, Fraction]) -> Iterator[Values]:
    law, values, temperature = case

    def soft(action_values: Array) -> Any:
        return soft_maximum(elementwise(number, action_values), number(temperature))[1]

    of_mean = (law[:, None] * values).sum(axis=0)[None]
    yield {
        theory.of_mean: Ball(lambda: soft(of_mean)[0]),
        theory.backup: Ball(lambda: (elementwise(number, law) * soft(values)).sum()),
    }


@claim(
    theory.action_baseline,
    over=families.games().with_landmarks(matching=landmarks.matching),
    witness="matching",
)
def action_baseline(case: Game) -> Iterator[Values]:
    yield {
        theory.by_code: exact_games.direct_term(case, "released code"),
        theory.direct: exact_games.direct_term(case),
    }


def _critic(draw: Draw) -> tuple[Array, Array, Fraction]:
    """One state: the law of joint actions, the leader's rewards, its discount."""
    law = families.laws(draw, 1, draw.integer(2, 4), least=1)[0]
    return law, families.numbers(draw, len(law)), draw.choice(families.DISCOUNTS)


@claim(
    theory.mode_target,
    over=Family("one state", _critic).with_landmarks(two=landmarks.two_actions),
    witness="two",
)
def mode_target(case: tuple[Array, Array, Fraction]) -> Iterator[Values]:
    """Q(b) = r(b) + gamma Q(mode); the value is that of a constant mean reward."""
    law, rewards, discount = case
    mode = rewards[law.argmax()] / (1 - discount)
    yield {
        theory.by_modes: (law * (rewards + discount * mode)).sum(),
        theory.value: (law * rewards).sum() / (1 - discount),
    }


def _failure(draw: Draw) -> Fraction:
    """fail_prob, in hundredths up to 3/4."""
    return Fraction(draw.integer(1, 75), 100)


@claim(
    theory.two_kernels,
    over=Family("probabilities of failure", _failure).with_landmarks(
        shipped=lambda: (Fraction(33, 100),)
    ),
    witness="shipped",
)
def two_kernels(fail: Fraction) -> Iterator[Values]:
    """Failing with 4 f/3, the simulator draws among four moves, the matrix among the others."""
    share = Fraction(4, 3) * fail
    yield {theory.simulated: 1 - share + share / 4, theory.in_matrix: 1 - share}


def _batch(draw: Draw) -> tuple[Fraction, int]:
    """The sum over a batch and its finished episodes, none in most cases."""
    return Fraction(draw.integer(1, 20), 4), max(draw.integer(-6, 3), 0)


@claim(
    theory.batch_scale,
    over=Family("batches", _batch).with_landmarks(unfinished=lambda: ((Fraction(1), 0),)),
    witness="unfinished",
)
def batch_scale(case: tuple[Fraction, int]) -> Iterator[Values]:
    total, finished = case
    yield {
        theory.once: total / max(finished, 1),
        theory.twice: 2 * total / max(2 * finished, 1),
    }


def _buffer(draw: Draw) -> tuple[int, int, int]:
    """Steps of an episode, episodes of the buffer, episodes written after it was full."""
    return draw.integer(2, 150), draw.integer(1, 4), draw.integer(0, 4)


@claim(
    theory.ring_suffix,
    over=Family("full ring buffers", _buffer).with_landmarks(shipped=lambda: ((150, 3, 0),)),
    witness="shipped",
)
def ring_suffix(case: tuple[int, int, int]) -> Iterator[Values]:
    """The suffix of the transition at the pointer."""
    length, episodes, extra = case
    size = length * episodes
    pointer = at = extra * length % size
    while (at + 1) % length and at != pointer:
        at = (at + 1) % size
    yield {theory.stored: (at - pointer) % size + 1, theory.whole: length - pointer % length}
