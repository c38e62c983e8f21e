"""Families of small leaders that were trained, and of a language model's tilted policy."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.solvers.hypergradient.balls import Array, Point
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.training import Training, options_from

from ...binding.draws import Draw
from ...binding.family import Family
from .points import array

if TYPE_CHECKING:
    from holdfast.solvers.neural.hypergradient import AscentRun

_SMALL: dict[str, Any] = {
    "method": "bc-hg", "updates": 20, "learning_rate": 0.1, "checkpoint_every": 0,
    "critic": "network", "sweeps": 0, "warm": 10, "width": 8, "critic_width": 16,
    "critic_steps": 5, "critic_rate": 0.01,
}  # fmt: skip
_IDLE = {"warm": 50, "width": 32, "critic_width": 64, "critic_steps": 20, "critic_rate": 0.003}
"""All options are given, so that no default that is changed elsewhere changes these runs; those
that have no effect on responses have to be the defaults."""


def _training(task: str, seed: int, **changes: Any) -> Training:
    found = find("hypergradient/ascent")
    given = {**_SMALL, **changes}
    options: Any = options_from(found.options, given)
    assert asdict(options) == given, "an option is left to its default"
    return Training(found.name, task, seed, options)


def _leader(draw: Draw) -> Training:
    return _training(draw.choice(("toy4-1", "toy4-2")), draw.integer(0, 999), steps=300)


def _reward(draw: Draw) -> Training:
    return _training("tiny", draw.integer(0, 999), steps=64, **_IDLE)


LEADERS = Family("leaders trained on the toy game", _leader, trained=True)
REWARDS = Family("rewards trained for responses of a small model", _reward, trained=True)


@cache
def _run(training: Training) -> AscentRun:
    from holdfast.solvers.neural.parts.runs import obtain

    found: AscentRun = obtain(training).result()
    return found


def point(training: Training) -> Point:
    """The trained leader and its follower, each float the rational that it is, with derivatives
    along the hypergradient; laws are made to sum to one.

    The policy is optimal for some rewards near those of the game (see `Point`), and derivatives of
    the leader's network are those that torch has.
    """
    from holdfast.solvers.hypergradient import hypergradient
    from holdfast.solvers.neural.hypergradient.problems import problem

    theta = _run(training).theta
    leader = problem(training.task, training.options.width)
    model, exact = leader.model(theta), hypergradient(leader, theta)
    along = exact.gradient / np.linalg.norm(exact.gradient)
    rows = np.eye(len(leader.vector.values(theta)))
    slopes = np.array([leader.vector.pull_back(theta, row) @ along for row in rows])
    n, shape = model.n_states, model.follower_rewards.shape
    places = (model.cells, model.transitions.indices)
    kernel, moved = np.zeros((n * shape[1], n)), np.zeros((n * shape[1], n))
    kernel[places], moved[places] = model.transitions.data, leader.maps.transitions @ slopes
    return Point(
        policy=_laws(exact.follower.policy), values=array(exact.follower.values),
        transitions=_laws(kernel.reshape(*shape, n)),
        leader_rewards=array(model.leader_rewards), initial=_laws(model.initial),
        follower_slope=array(np.zeros(shape)), leader_slope=array(np.zeros(shape)),
        transition_slope=_still(array(moved.reshape(*shape, n))),
        initial_slope=_still(array(leader.maps.initial @ slopes)),
        temperature=Fraction(1, 20), follower_discount=Fraction(99, 100),
        leader_discount=Fraction(99, 100),
    )  # fmt: skip


def tokens(training: Training) -> tuple[Point, Array]:
    """One state whose actions are all tokens, under the trained reward, and the model's own law.

    Leader's rewards are lengths; the reward moves along the gradient of their mean.
    """
    from holdfast.solvers.neural.hypergradient.responses import TEMPERATURE, responses

    seen, weights = responses(training.task), _run(training).theta
    law = seen.reference * np.exp(seen.features @ weights / TEMPERATURE)
    law /= law.sum()
    along = (law * (seen.lengths - law @ seen.lengths)) @ seen.features
    lengths, one = array(seen.lengths[None]), array([1])
    still = array(np.zeros((1, len(law), 1)))
    found = Point(
        policy=_laws(law[None]), values=one * 0, transitions=still, leader_rewards=lengths,
        initial=one, follower_slope=array((seen.features @ along / np.linalg.norm(along))[None]),
        transition_slope=still, leader_slope=lengths * 0, initial_slope=one * 0,
        temperature=Fraction(TEMPERATURE), follower_discount=Fraction(0),
        leader_discount=Fraction(0),
    )  # fmt: skip
    return found, _laws(seen.reference)


def _laws(values: Any) -> Array:
    """Rationals in proportion to floats, which sum to one along the last axis."""
    found = array(values)
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


def _still(slopes: Array) -> Array:
    """Slopes of laws, what they miss the sum 0 by taken off the largest."""
    rows = slopes.reshape(-1, slopes.shape[-1])
    for row in rows:
        row[int(np.argmax(np.abs(row)))] -= row.sum()
    return rows.reshape(slopes.shape)
