"""A trained transformer as a policy: asked for a target, it acts, and is told what it earned."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import ModelError
from ...sequences import Array
from ..parts import checkpoints
from ..parts.checkpoints import Saved, named, part
from ..parts.evaluation import Words, fresh_seeds, one_episode_each, seeded
from ..parts.tasks import make
from .transformer import ConditionedNetwork, StepTransformer, Windows

IDENTITY = {"policy": "target_returns/decision-transformer"}
_COPIES = 48
"""Episodes that run at once: a network of this size is as fast for all as for a few, and every copy
holds a simulator."""
TOKENS = 4  # of a step: return-to-go, cost-to-go, state, action


class Context:
    """What n running episodes have seen of their last K steps, and what they are still asked for.

    Whoever steps the environment calls `tell` after each step.
    """

    def __init__(self, targets: Tensor, context: int, observations: int, actions: int) -> None:
        n = len(targets)
        self._targets, self._to_go, self._told = targets, targets.clone(), True
        self._seen = Windows(
            torch.zeros(n, context, 2), torch.zeros(n, context, observations),
            torch.zeros(n, context, actions), torch.zeros(n, context, dtype=torch.long),
            torch.zeros(n, context, dtype=torch.bool),
        )  # fmt: skip

    def tell(self, rewards: Array, costs: Array) -> None:
        """What the last step earned and cost, float[n] each."""
        self._to_go = self._to_go - torch.as_tensor(np.stack([rewards, costs], axis=1)).float()
        self._told = True

    def push(self, observations: Array, starts: Array) -> Windows:
        """The window that ends now; at `starts`, bool[n], an episode begins anew.

        Raises ModelError where the last step was not told.
        """
        if not self._told:
            raise ModelError(
                "the context was not told what the last step earned, so that the return still to "
                "go is not known; call tell(rewards, costs) of the state after each step"
            )
        begun, old = torch.as_tensor(starts), self._seen
        self._to_go = torch.where(begun[:, None], self._targets, self._to_go)
        time = torch.where(begun, 0, old.times[:, -1] + 1)
        seen = torch.as_tensor(observations).float()
        self._seen = Windows(
            _shifted(old.to_go, self._to_go), _shifted(old.observations, seen),
            _shifted(old.actions, torch.zeros_like(old.actions[:, 0])), _shifted(old.times, time),
            _shifted(old.there & ~begun[:, None], torch.ones_like(begun)),
        )  # fmt: skip
        self._told = False
        return self._seen

    def act(self, actions: Tensor) -> None:
        """The actions, float32[n, A], that the window ends with."""
        self._seen.actions[:, -1] = actions


def _shifted(old: Tensor, last: Tensor) -> Tensor:
    return torch.cat([old[:, 1:], last[:, None]], dim=1)


@dataclass(frozen=True, eq=False)
class TargetPolicy:
    """The transformer asked for targets; predicts as stable-baselines3, with a `Context` as state.

    targets: float64[2], or float64[n, 2] for n copies, each a return and a cost, UN-normalised.
    """

    transformer: TrainedTransformer
    targets: Array

    def predict(
        self, observation: Array, state: Context | None = None, episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Array, Context]:  # fmt: skip
        """(float32[n, A], state) for n observations: the mean action, or a drawn one.

        Raises ModelError as `Context.push`, and for another number of copies than of targets.
        """
        trained, n = self.transformer, len(observation)
        if self.targets.ndim == 2 and len(self.targets) != n:
            raise ModelError(f"there are {len(self.targets)} targets for {n} observations")
        if state is None:
            asked = torch.as_tensor(np.broadcast_to(self.targets, (n, 2)).copy()).float()
            state = Context(asked, *trained.shape)
            episode_start = np.ones(n, dtype=bool)
        with torch.no_grad():
            law = trained.network(state.push(observation, episode_start))
            chosen = (law.mean if deterministic else law.sample())[:, -1]
        low, high = trained.bounds
        actions = np.clip(chosen.numpy(), low, high)
        state.act(torch.from_numpy(actions))
        return actions, state


@dataclass(frozen=True, eq=False)
class TrainedTransformer:
    """A trained decision transformer.

    Attributes:
        network: the law of actions.
        returns: float64[E, 2], returns and costs of the episodes that it was trained on.
        numbers: what it was built with: sizes, and the bounds of actions.
    """

    network: ConditionedNetwork
    returns: Array
    numbers: Mapping[str, Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Steps of context, coordinates of observations and of actions."""
        return tuple(self.numbers[k] for k in ("context", "observations", "actions"))  # type: ignore[return-value]

    @property
    def bounds(self) -> tuple[Array, Array]:
        """float32[A] each: the least and the greatest action."""
        low, high = (np.array(self.numbers[key], dtype=np.float32) for key in ("low", "high"))
        return low, high

    def at(self, target: Array | tuple[float, float]) -> TargetPolicy:
        """The policy that is asked for this (return, cost), or for one of them a copy.

        Raises ModelError for what is no pair of finite numbers, and for a negative cost.
        """
        targets = np.asarray(target, dtype=float)
        if targets.shape[-1:] != (2,) or targets.ndim > 2 or not np.isfinite(targets).all():
            raise ModelError(f"target = {target!r}; give a return and a cost, such as (300, 20)")
        if (targets[..., 1] < 0).any():
            raise ModelError(f"target = {target!r} asks for a negative cost; give at least 0")
        return TargetPolicy(self, targets)

    def rollouts(
        self, task: str, targets: Array, seed_words: Words, *, deterministic: bool = True
    ) -> Array:
        """float64[n, 2], UN-normalised return and cost of one fresh episode for each target [n, 2].

        seed_words: what names the episodes; the same words and targets give the same.
        """
        from ..parts.on_policy import one_thread

        found, env = [], None
        with one_thread(), ExitStack() as opened:
            for at, seed in enumerate(fresh_seeds(task, seed_words, -(-len(targets) // _COPIES))):
                asked = targets[at * _COPIES : (at + 1) * _COPIES]
                if env is None or env.num_envs != len(asked):
                    opened.close()
                    env = make(task, seed=seed, n_envs=len(asked), first_violation=False)
                    opened.callback(env.close)
                policy = self.at(asked)
                with seeded(policy, env, seed):
                    returns, _, costs = one_episode_each(policy, env, deterministic, 1.0)
                found.append(np.stack([np.array(returns, dtype=float), costs], axis=1))
        return np.concatenate(found)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All that is saved but `numbers`."""
        own = {"returns": torch.from_numpy(self.returns)}
        return {**named("network", self.network.state_dict()), **own}

    def save(self, stem: str | Path) -> None:
        """Write ``stem.safetensors`` and ``stem.json``."""
        checkpoints.save(Path(stem), self.tensors, self.numbers, IDENTITY)


def load_policy(stem: str | Path) -> TrainedTransformer:
    """What `TrainedTransformer.save` wrote.  Raises ModelError as `checkpoints.load`."""
    return transformer_from(checkpoints.load(Path(stem), IDENTITY))


def transformer_from(saved: Saved) -> TrainedTransformer:
    """The trained transformer of these tensors and numbers."""
    network = network_of(saved.numbers)
    network.load_state_dict(part("network", saved.tensors))
    network.eval()
    return TrainedTransformer(network, saved.tensors["returns"].numpy(), saved.numbers)


def network_of(numbers: Mapping[str, Any], seed: int = 0) -> ConditionedNetwork:
    """An untrained network of these sizes; its first parameters follow from the seed."""
    sizes = {k: numbers[k] for k in ("context", "steps", "width", "layers", "heads", "dropout")}
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        backbone = StepTransformer(tokens=TOKENS, **sizes)
        return ConditionedNetwork(numbers["observations"], numbers["actions"], backbone)
