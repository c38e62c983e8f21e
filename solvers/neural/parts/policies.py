"""Policies trained by stable-baselines3 with a cost: training in a workplace, and loading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from .constrained import ConstrainedTraining
from .limit import cost_limit
from .on_policy import WithCosts, one_thread, policy_arguments
from .runs import Run, Workplace
from .tasks import make


def train_policy(
    workplace: Workplace,
    algorithm: type[WithCosts],
    policy_class: type[ActorCriticPolicy] = ActorCriticPolicy,
    env: VecEnv | None = None,
    **arguments: Any,
) -> None:
    """Train from the last checkpoint to the end, and keep the policy.

    Args:
        algorithm: PPO or TRPO with costs.
        policy_class: networks of another shape; the names of all parameters that have no part in
            the law of actions must contain "value", as those of `ActorCriticPolicy` do.
        env: copies of what stands for the task, such as a model of it; none for the task itself.
        arguments: of `algorithm`.

    Raises ModelError and TrainingError as `runs.obtain`.
    """
    training = workplace.training
    options: ConstrainedTraining = training.options
    bound = cost_limit(
        str(options.limit),
        discounted=options.discounted,
        discount=str(options.cost_discount),
    )
    bound.check(training.task, first_violation=options.first_violation)
    done, saved = workplace.resume()
    with one_thread():
        env = env or make(
            training.task,
            seed=0,  # every update seeds it anew
            n_envs=options.n_envs,
            first_violation=options.first_violation,
            exploring=options.exploring,
        )
        model = algorithm(
            policy_class, env, options, training.seed, device=training.device, **arguments
        )
        if saved is not None:
            model.restore(saved)
        model.on_update = _Keeper(workplace)
        with np.errstate(over="ignore", invalid="ignore"):  # the update is refused, with its number
            model.learn(
                (options.updates - done) * options.per_update,
                callback=model.seen,
                reset_num_timesteps=False,
            )
        workplace.keep(model.policy.state_dict(), _shapes(env))
        env.close()


@dataclass(frozen=True)
class _Keeper:
    """Records each update, and keeps a checkpoint of every so many."""

    workplace: Workplace

    def __call__(self, model: WithCosts, numbers: dict[str, float]) -> None:
        options = model.options
        self.workplace.record(model.update, options.updates, numbers)
        if model.update % options.checkpoint_every == 0:
            self.workplace.checkpoint(model.update, model.tensors(), model.numbers())


def load_policy(
    run: Run, policy_class: type[ActorCriticPolicy] = ActorCriticPolicy
) -> ActorCriticPolicy:
    """The policy of a finished run, on the CPU, with ``predict`` as stable-baselines3 has it.

    Raises ModelError as `Run.outcome`.
    """
    saved = run.outcome()
    policy = policy_class(
        *_spaces(saved.numbers), lambda _: 0.0, **policy_arguments(run.training.options)
    )
    policy.load_state_dict(saved.tensors)
    policy.set_training_mode(False)
    return policy


def _shapes(env: VecEnv) -> dict[str, Any]:
    actions = env.action_space
    if isinstance(actions, spaces.Discrete):
        return {"observations": spaces.flatdim(env.observation_space), "actions": int(actions.n)}
    assert isinstance(actions, spaces.Box)
    bounds = {"low": actions.low.tolist(), "high": actions.high.tolist()}
    return {"observations": spaces.flatdim(env.observation_space), "actions": bounds}


def _spaces(shapes: dict[str, Any]) -> tuple[spaces.Box, spaces.Space]:
    seen = spaces.Box(-np.inf, np.inf, (shapes["observations"],), np.float32)
    actions = shapes["actions"]
    if isinstance(actions, int):
        return seen, spaces.Discrete(actions)
    low, high = (np.array(actions[side], dtype=np.float32) for side in ("low", "high"))
    return seen, spaces.Box(low, high)
