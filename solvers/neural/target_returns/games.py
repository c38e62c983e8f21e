"""Games of MinAtar and Atari, and what a PPO agent met while it learnt to play each of them.

The whole history of a short training is the data, from aimless episodes to its best, as replays are
in Lee et al. 2022.  Rewards of one episode are summed UN-normalised; episodes are cut at a length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ...errors import ModelError
from ...sequences import Array
from .discrete import Steps

if TYPE_CHECKING:
    import gymnasium
    from stable_baselines3.common.vec_env import VecEnv

MINATAR = tuple(
    f"MinAtar/{name}-v1" for name in ("Asterix", "Breakout", "Freeway", "Seaquest", "SpaceInvaders")
)
"""The five games, each with the actions that it needs."""
LENGTH = 500
"""Most steps of an episode: Freeway lasts 2500 whatever is done, and takes most of the time."""
_COPIES = 8
"""Copies that the agent plays at once: more are faster a step and learn less from each."""


def games_of(task: str) -> tuple[str, ...]:
    """The games of a task: ``minatar`` for all five, or ids with a plus sign between them.

    Raises ModelError for a game that there is not.
    """
    games = MINATAR if task == "minatar" else tuple(task.split("+"))
    for name in games:
        if name not in MINATAR and not name.startswith("ALE/"):
            raise ModelError(
                f"there is no game {name!r}; give minatar, or such as {MINATAR[1]}+ALE/Breakout-v5"
            )
        game(name).close()
    return games


def game(name: str) -> gymnasium.Env[Any, Any]:
    """The game, which observes a vector of numbers in [0, 1] (of Atari: the 128 bytes of memory).

    Raises ModelError where gymnasium has no such game.
    """
    import gymnasium
    from gymnasium.wrappers import FlattenObservation

    try:
        if name.startswith("ALE/"):
            import ale_py

            gymnasium.register_envs(ale_py)
            memory = gymnasium.make(name, obs_type="ram", max_episode_steps=LENGTH)
            return _scaled(memory, 255)
        if name not in gymnasium.registry:
            import_module("minatar.gym").register_envs()
        env = gymnasium.make(name, max_episode_steps=LENGTH, disable_env_checker=True)
    except gymnasium.error.Error as error:
        raise ModelError(f"there is no game {name!r}: {error}") from error
    return _scaled(FlattenObservation(env), 1)


def _scaled(env: gymnasium.Env[Any, Any], largest: int) -> gymnasium.Env[Any, Any]:
    from gymnasium.spaces import Box
    from gymnasium.wrappers import TransformObservation

    space = Box(0.0, 1.0, env.observation_space.shape, np.float32)
    return TransformObservation(env, lambda seen: np.asarray(seen, np.float32) / largest, space)


def copies(name: str, n: int, seed: int) -> VecEnv:
    """n copies of a game, seeded."""
    from stable_baselines3.common.env_util import make_vec_env

    return make_vec_env(lambda: game(name), n_envs=n, seed=seed)


@dataclass(frozen=True, eq=False)
class Played:
    """Whole episodes of one game, one after the other; N steps.

    states: float16[N, S]; actions: int64[N]; rewards: float64[N]; ends: int64[E], one past the last
    step of each.
    """

    states: Array
    actions: Array
    rewards: Array
    ends: Array
    n_actions: int

    @property
    def starts(self) -> Array:
        """int64[N], where the episode of each step begins."""
        first = np.concatenate([[0], self.ends[:-1]])
        return np.repeat(first, np.diff(self.ends, prepend=0))

    @property
    def returns(self) -> Array:
        """float64[E], the return of each episode."""
        return np.add.reduceat(self.rewards, np.concatenate([[0], self.ends[:-1]]))

    @property
    def to_go(self) -> Array:
        """float64[N], the return still to come from each step on."""
        total = np.concatenate([[0.0], np.cumsum(self.rewards)])
        last = np.repeat(self.ends, np.diff(self.ends, prepend=0))
        return total[last] - total[:-1]


def play(name: str, steps: int, seed: int) -> Played:
    """What PPO met in so many steps of learning a game; the episodes that it ended.

    Raises ModelError where no episode ended.
    """
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback

    class Recorder(BaseCallback):
        """Keeps what the agent's buffer holds after each round of play."""

        def __init__(self) -> None:
            super().__init__()
            self.kept: list[tuple[Array, ...]] = []
            self.earned: list[Array] = []

        def _on_step(self) -> bool:
            self.earned.append(self.locals["rewards"].copy())
            return True

        def _on_rollout_end(self) -> None:
            buffer = self.locals["rollout_buffer"]
            # not the buffer's rewards, to which the value of what a time limit cut off is added
            parts = (buffer.observations, buffer.actions[..., 0], buffer.episode_starts > 0)
            self.kept.append((*(np.array(x) for x in parts), np.array(self.earned)))
            self.earned = []

    env, recorder = copies(name, _COPIES, seed), Recorder()
    # 256 steps a round and few passes: data are wanted, and quickly, more than the best player
    agent = PPO("MlpPolicy", env, n_steps=256, batch_size=256, n_epochs=4, ent_coef=0.01, seed=seed)
    agent.learn(steps, callback=recorder)
    states, actions, begun, earned = map(np.concatenate, zip(*recorder.kept, strict=True))
    n_actions = int(env.action_space.n)  # type: ignore[attr-defined]
    env.close()
    return _whole(name, states, actions.astype(np.int64), earned, begun, n_actions)


def _whole(
    name: str, states: Array, actions: Array, rewards: Array, begun: Array, n_actions: int
) -> Played:
    """The whole episodes of copies that ran side by side, [T, n, ...]."""
    rows: list[tuple[int, slice]] = []
    for copy in range(begun.shape[1]):
        first = np.flatnonzero(begun[:, copy]).tolist()
        rows += [(copy, slice(a, b)) for a, b in pairwise(first)]
    if not rows:
        raise ModelError(f"no episode of {name} ended in {begun.size} steps; play more")
    found = [np.concatenate([x[part, copy] for copy, part in rows]) for x in (states, actions)]
    earned = np.concatenate([rewards[part, copy] for copy, part in rows]).astype(float)
    ends = np.cumsum([part.stop - part.start for _, part in rows])
    return Played(found[0].astype(np.float16), found[1], earned, ends, n_actions)


@dataclass(frozen=True, eq=False)
class Library:
    """The data of several games as windows; a state that is shorter than others ends in zeros."""

    played: Sequence[Played]
    context: int
    bins: int

    def __len__(self) -> int:
        return sum(len(one.actions) for one in self.played)

    @property
    def size(self) -> int:
        """Coordinates of the longest state."""
        return max(one.states.shape[1] for one in self.played)

    def take(self, rows: Tensor) -> Steps:
        """The windows that end at these steps, counted through all games."""
        offsets = np.cumsum([0, *(len(one.actions) for one in self.played)])
        at = rows.numpy()
        which = np.searchsorted(offsets, at, side="right") - 1
        order = [np.flatnonzero(which == g) for g in range(len(self.played))]
        parts = [self.windows(g, at[rows_] - offsets[g]) for g, rows_ in enumerate(order)]
        back = torch.from_numpy(np.argsort(np.concatenate(order)))
        merged = (torch.cat(x) for x in zip(*(p.tensors for p in parts), strict=True))
        return Steps(*merged).take(back)

    def windows(self, which: int, at: Array) -> Steps:
        """The windows of one game that end at these steps of it."""
        one = self.played[which]
        index = at[:, None] + np.arange(1 - self.context, 1)
        there = index >= one.starts[at][:, None]
        index = np.maximum(index, one.starts[at][:, None])
        states = np.zeros((*index.shape, self.size), np.float32)
        states[..., : one.states.shape[1]] = one.states[index]
        bins = np.clip(np.rint(one.to_go[index]), 0, self.bins - 1).astype(np.int64)
        times = index - one.starts[at][:, None]
        games = np.full(index.shape, which)
        found = (states, bins, one.actions[index], games, times, there)
        return Steps(*map(torch.from_numpy, found))
