"""The baseline: a decision transformer that goes on learning from its own episodes.

Online decision transformers (Zheng, Zhang, Grover 2022) act with drawn actions at one target, and
learn from what came of it, labelled with the returns and costs that were reached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...offline.data_sets import DataSet, joined
from ...sequences import Array
from ..parts.evaluation import Words, fresh_seeds, one_episode_each, seeded
from ..parts.on_policy import one_thread
from ..parts.tasks import make
from .learning import Learner
from .policy import Context, TargetPolicy

_SHARE = 5
"""Evaluations between updates: fewer make it learn sooner and take longer."""


def fine_tune(
    learner: Learner, policy: TargetPolicy, task: str, data: DataSet, evaluations: int,
    seed_words: Words, told: Callable[[int, Array], object],
) -> None:  # fmt: skip
    """Train the learner's network, which is the policy's, on the data and the policy's episodes.

    told: is given the number of each evaluation, from 1, and float64[2], the means of its episodes,
    one a target of the policy.
    """
    for number in range(1, evaluations + 1):
        learner.network.eval()
        with one_thread():
            made = recorded(policy, task, (*seed_words, number))
            told(number, made.returns.mean(axis=0))
            data = joined("data and own episodes", [data, made])
            if number % _SHARE == 0:
                learner.update(data, number // _SHARE)
    learner.network.eval()


def recorded(policy: TargetPolicy, task: str, seed_words: Words) -> DataSet:
    """An episode of each of n targets, with drawn actions, each up to its own end.

    What follows the last observation is not kept, and stands as that observation; nor is what ended
    an episode, so that all ends are written as timeouts.
    """
    (seed,), recorder = fresh_seeds(task, seed_words, 1), _Recorder(policy)
    env = make(task, seed=seed, n_envs=len(policy.targets), first_violation=False)
    with seeded(policy, env, seed):
        one_episode_each(recorder, env, False, 1.0)
    env.close()
    starts, seen, actions, gains = (np.stack(x, 1) for x in zip(*recorder.rows, strict=True))
    own = starts.cumsum(axis=1) == 1  # an episode that has ended begins anew while others run
    last = own & np.pad(~own[:, 1:], ((0, 0), (0, 1)), constant_values=True)
    following = np.where(last[..., None], seen, np.roll(seen, -1, axis=1))
    columns = (seen, following, actions, gains[..., 0], gains[..., 1], ~last & last, last)
    return DataSet("own episodes", *(x[own] for x in columns))


class _Recorder:
    """Acts as the policy, is its own state, and keeps what was seen, done and earned."""

    def __init__(self, policy: TargetPolicy) -> None:
        self.policy, self.rows = policy, list[tuple[Array, ...]]()
        self._context: Context | None = None

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Array, Any]:  # fmt: skip
        """As `TargetPolicy.predict`."""
        actions, self._context = self.policy.predict(
            observation, self._context, episode_start, deterministic
        )
        self._done = np.array(episode_start), observation.copy(), actions
        return actions, self

    def tell(self, rewards: Array, costs: Array) -> None:
        """As `Context.tell`."""
        self.rows.append((*self._done, np.stack([rewards, costs], axis=1)))
        assert self._context is not None
        self._context.tell(rewards, costs)
