"""Trajectories of the follower, by one compiled loop: all that an estimator of the leader sees.

Random numbers come from a Philox stream of the seed, so that a seed gives the same trajectories on
any machine and with any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..cmdp.scale.compiled import serial
from ..errors import ModelError
from ..sequences import Array
from .checks import check_law, check_policy, reals, whole

if TYPE_CHECKING:
    from .models import BilevelModel

_MOST = 10**8
"""Steps of one call: five numbers for each of them then fill 4 GB."""


@dataclass(frozen=True)
class Trajectories:
    """Steps of E episodes, T in all, laid end to end.

    Attributes:
        states, actions, followings: int64[T]; a step goes from a state, by an action, to another.
        entries: int64[T], places of the steps in the data of the model's sparse transitions.
        starts: int64[E+1]; the steps of episode k are starts[k]:starts[k+1].
        n_actions: A.
    """

    states: Array
    actions: Array
    followings: Array
    entries: Array
    starts: Array
    n_actions: int

    @property
    def n_episodes(self) -> int:
        """E, one for each start, ended or cut."""
        return len(self.starts) - 1

    @cached_property
    def cells(self) -> Array:
        """int64[T]: state * A + action."""
        return self.states * self.n_actions + self.actions

    @cached_property
    def times(self) -> Array:
        """int64[T]: steps since the episode began."""
        return np.arange(len(self.states)) - np.repeat(self.starts[:-1], np.diff(self.starts))

    @cached_property
    def is_last(self) -> Array:
        """bool[T]: the last recorded step of its episode."""
        last = np.zeros(len(self.states), bool)
        last[self.starts[1:][np.diff(self.starts) > 0] - 1] = True
        return last


def roll_out(
    model: BilevelModel,
    policy: Array,
    seed: int,
    *,
    horizon: int,
    episodes: int | None = None,
    steps: int | None = None,
    initial: Array | None = None,
) -> Trajectories:
    """Follow a policy, float64[n, A]: so many episodes, or so many steps, the last episode cut.

    An episode ends in a terminal state or after `horizon` steps.  initial: float64[n], the law of
    its first state; default the model's.  Raises ModelError unless one of `episodes` and `steps` is
    a number above 0, and if every episode would end before its first step.
    """
    if (episodes is None) == (steps is None):
        raise ModelError("give either episodes or steps, the size of the sample, and not both")
    size = whole(horizon, "horizon") * (1 if episodes is None else whole(episodes, "episodes"))
    size = size if steps is None else whole(steps, "steps")
    if size > _MOST:
        raise ModelError(f"{size:,} steps are more than {_MOST:,}; take fewer or shorter episodes")
    check_policy(policy, (model.n_states, model.n_actions))
    law = model.initial
    if initial is not None:
        law = reals(initial, "initial", model.initial.shape)
        check_law(law, "initial")
    if steps is not None and not law[~model.terminal].any():
        raise ModelError("every episode begins in a terminal state, so that no step is made")
    kernel = model.transitions
    columns = np.empty((4, size), np.int64)
    starts = np.zeros((size if episodes is None else episodes) + 1, np.int64)
    random = np.random.Generator(np.random.Philox(whole(seed, "seed", 0)))
    count, made = _walk(
        random, np.cumsum(law), policy, kernel.indptr,
        kernel.indices, kernel.data, model.terminal, horizon, columns, starts,
    )  # fmt: skip
    states, actions, followings, entries = columns[:, :made].copy()
    return Trajectories(
        states, actions, followings, entries, starts[: count + 1].copy(), policy.shape[1]
    )


@serial
def _place(weights: Array, first: int, last: int, level: float) -> int:
    """The first place from `first` on whose weights sum to more than the level."""
    for place in range(first, last - 1):
        level -= weights[place]
        if level < 0.0:
            return place
    place = last - 1
    while weights[place] == 0.0 and place > first:  # what rounding left is that of no outcome
        place -= 1
    return place


@serial
def _walk(
    random: np.random.Generator, cumulated: Array, policy: Array, indptr: Array, indices: Array,
    data: Array, terminal: Array, horizon: int, columns: Array, starts: Array,
) -> tuple[int, int]:  # fmt: skip
    """Fill the columns and starts; how many episodes and steps there are."""
    n_actions, made, episode = policy.shape[1], 0, 0
    while episode < len(starts) - 1 and made < columns.shape[1]:
        level = random.random() * cumulated[-1]
        state = np.searchsorted(cumulated, level, side="right")
        for _ in range(horizon):
            if terminal[state] or made == columns.shape[1]:
                break
            action = _place(policy[state], 0, n_actions, random.random())
            row = state * n_actions + action
            entry = _place(data, indptr[row], indptr[row + 1], random.random())
            columns[0, made], columns[1, made], columns[3, made] = state, action, entry
            state = indices[entry]
            columns[2, made] = state
            made += 1
        episode += 1
        starts[episode] = made
    return episode, made
