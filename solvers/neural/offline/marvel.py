"""From offline to online (Chen, Wei, Deng, Lin, "Marvel", arXiv:2412.04426), as far as it is known.

1. An offline stage in the manner of CPQ: a reward counts only where the cost that is predicted
   after it is low, actions far from the recorded ones are told to be dear, and the actor stays
   near the recorded actions.
2. Value pre-alignment: with that policy fixed both critics are fitted to its own values on the
   same data, each with a bonus for the entropy of the policy, alpha and alpha_c < alpha.  Up is
   optimistic for rewards and pessimistic for costs.
3. SAC on (Q - lambda Q_c) / (1 + lambda), with old and new transitions together, where a
   controller moves lambda by the measured cost of each collection; "adaptive" has moving gains.

The body of the paper was not read: the bonuses are a reconstruction (its equations (8) and (9)), as
is the rule of moving gains, and the offline stage has a hinge where CPQ has an autoencoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import ModelError
from ...offline.multipliers.controllers import (
    PID,
    Adaptive,
    Ascent,
    Controller,
    ControllerState,
    Fixed,
)
from ..parts.algorithms import Algorithm
from ..parts.constrained import refuse_idle, require_positive, require_share
from ..parts.on_policy import SeenCosts, episode_sums
from ..parts.runs import Workplace
from ..parts.task_data import data_of, source
from ..parts.tasks import episode_length, make
from ..parts.training import Training, option
from ..parts.updates import run_updates, word
from . import data as offline
from .data import PER_UPDATE, OfflineOptions, require_whole
from .ranks import Ranks, ranks
from .safe_sac import SafeSAC, Transitions, descend, largest, least, load

_DEAR = 1.5
"""Actions far from the data are to cost so many times the limit, as CPQ's default has it."""
_FAR = 0.5
"""From a recorded action, in the largest coordinate, where bounds are -1 and 1."""
_WANDER = 4.0
"""Adaptive gains stay within this factor of their first: without a box they may leave every region
of stability (`pid/adaptive`); a larger one adapts more and promises less."""
_IDLE = {
    "fixed": "ascent_rate proportional integral derivative adaptivity",
    "ascent": "proportional integral derivative adaptivity",
    "pid": "ascent_rate adaptivity",
    "adaptive": "ascent_rate",
}
"""Controller -> options that have no effect with it."""


@dataclass(frozen=True)
class MarvelOptions(OfflineOptions):
    """Options of the three stages; the defaults train for two minutes of one core."""

    limit: float = option(10.0, "of the cost of an episode")
    offline_steps: int = option(3000, "gradient steps of the offline stage")
    alignment_steps: int = option(2000, "gradient steps of value pre-alignment; 0 for none")
    iterations: int = option(30, "online; 0 for none")
    rollouts: int = option(20, "episodes of an iteration")
    gradient_steps: int = option(80, "of an iteration")
    cloning: float = option(1.0, "weight of the likelihood of recorded actions, offline")
    bonus: float = option(0.05, "alpha, of the entropy in aligned rewards")
    cost_bonus: float = option(0.01, "alpha_c, of the entropy in aligned costs; below alpha")
    entropy: float = option(0.02, "weight of the entropy, online")
    rate: float = option(5e-4, "of Adam, for all networks")
    follow: float = option(0.005, "share that target networks take of critics a step")
    controller: str = option("ascent", "what moves the multiplier: fixed, ascent, pid, adaptive")
    multiplier: float = option(1.0, "its first value; with fixed its only one")
    ascent_rate: float = option(0.01, "ascent: step a unit of cost above the limit")
    proportional: float = option(0.05, "pid, adaptive: gain of the excess")
    integral: float = option(0.005, "pid, adaptive: gain of the sum of excesses")
    derivative: float = option(0.01, "pid, adaptive: gain of a rise of the cost")
    adaptivity: float = option(0.1, "adaptive: rate at which gains move; 0 for a pid")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "offline_steps rollouts gradient_steps limit rate follow")
        require_share(self, "follow")
        require_whole(self, "offline_steps alignment_steps")
        for name in ["iterations", "cloning", "entropy", "cost_bonus", "multiplier", "adaptivity"]:
            if getattr(self, name) < 0:
                raise ModelError(f"{name} = {getattr(self, name)}; give 0 or more")
        if self.controller not in _IDLE:
            raise ModelError(f"controller = {self.controller!r}; give one of {', '.join(_IDLE)}")
        refuse_idle(self, _IDLE[self.controller], f"controller = {self.controller!r}")
        if not self.alignment_steps:
            refuse_idle(self, "bonus cost_bonus", "alignment_steps = 0")
        if not self.cost_bonus <= self.bonus:
            raise ModelError(
                f"cost_bonus = {self.cost_bonus} is above bonus = {self.bonus}; the paper has it "
                "below"
            )
        self.state_machine()

    @property
    def offline_updates(self) -> int:
        """Of a hundred gradient steps of the first stage."""
        return self.offline_steps // PER_UPDATE

    @property
    def aligned(self) -> int:
        """Updates of the first two stages."""
        return self.offline_updates + self.alignment_steps // PER_UPDATE

    @property
    def updates(self) -> int:
        """Of a hundred gradient steps offline, and the iterations online."""
        return self.aligned + self.iterations

    def state_machine(self) -> Controller:
        """The controller of the multiplier.  Raises ModelError for gains that cannot be meant."""
        if self.controller == "fixed":
            return Fixed(self.multiplier)
        if self.controller == "ascent":
            return Ascent(self.limit, self.ascent_rate, start=self.multiplier)
        gains = (self.proportional, self.integral, self.derivative)
        if self.controller == "pid":
            return PID(self.limit, *gains, start=self.multiplier)
        boxes = tuple((gain / _WANDER, gain * _WANDER) for gain in gains)
        rates = (self.adaptivity,) * 3
        return Adaptive(self.limit, *gains, rates, boxes, start=self.multiplier, unit=self.limit)


def check(training: Training) -> None:
    """Raises ModelError as `data.check`, and for a task without a known length."""
    offline.check(training)
    if episode_length(training.task) is None:
        raise ModelError(
            f"nothing is known to end an episode of {training.task}; register it with "
            "max_episode_steps, so that the cost of an episode can be limited"
        )


def spread_limit(limit: float, discount: float, horizon: int) -> float:
    """The discounted cost that is like the limit of an episode where cost comes evenly."""
    if discount == 1:
        return limit
    return limit * (1 - discount**horizon) / ((1 - discount) * horizon)


class SacLagrangian(SafeSAC):
    """Online: a multiplier moves by the cost of what was collected, then come gradient steps."""

    controller: Controller
    state: ControllerState

    def _setup_model(self) -> None:
        super()._setup_model()
        self.seen = SeenCosts()

    def train(self, gradient_steps: int, batch_size: int = 64) -> None:
        """Steps of critics and actor, on old and new transitions."""
        costs = np.array(self.seen.costs, dtype=float)
        cost = episode_sums(costs, np.array(self.seen.dones)).mean()
        self.state = self.controller.step(self.state, float(cost))
        for _ in range(gradient_steps):
            batch = self.replay_buffer.sample(batch_size)
            entropy = float(self.ent_coef)
            self.fit(self.squared_errors(batch, self.targets(batch, entropy)))
            actions, log_chance = self.actor.action_log_prob(batch.observations)
            descend(self.actor.optimizer, self.actor_loss(batch, actions, log_chance))

    def actor_loss(self, batch: Transitions, actions: Tensor, log_chance: Tensor) -> Tensor:
        """The mean of (alpha log pi - Q + lambda Q_c) / (1 + lambda)."""
        multiplier, states = self.state.multiplier, batch.observations
        worth = least(self.critic, states, actions)
        worth = worth - multiplier * largest(self.cost_critic, states, actions)
        return (float(self.ent_coef) * log_chance[:, None] - worth).mean() / (1 + multiplier)


class Marvel:
    """The state of one training."""

    def __init__(self, training: Training) -> None:
        self.training, self.data = training, data_of(training)
        self.options: MarvelOptions = training.options
        o, length = self.options, episode_length(training.task)
        assert length is not None
        self.length = length
        env = make(training.task, seed=0, n_envs=o.rollouts, first_violation=False)
        self.agent = SacLagrangian(
            env, width=o.width, critics=2, gamma=o.discount, tau=o.follow, learning_rate=o.rate,
            batch_size=o.batch, ent_coef=o.entropy, learning_starts=0, train_freq=length,
            gradient_steps=o.gradient_steps, device=training.device,
            buffer_size=len(self.data.rewards) + o.iterations * o.rollouts * length,
        )  # fmt: skip
        self.agent.learn_from(self.data)
        self.agent.controller = o.state_machine()
        self.agent.state = self.agent.controller.first()
        self.safe_below = spread_limit(o.limit, o.discount, length)
        self.ranks: dict[str, Ranks] = {}

    def update(self, number: int) -> dict[str, float]:
        """A hundred gradient steps offline, or an iteration online."""
        o, buffer = self.options, self.agent.replay_buffer
        buffer.stream = np.random.default_rng(word(self.training.seed, number))
        if number > o.aligned:
            return self._iterate(number)
        step = self._offline if number <= o.offline_updates else self.align
        lines = [step(buffer.sample(o.batch)) for _ in range(PER_UPDATE)]
        if number in (o.offline_updates, o.aligned):
            when = "before" if number == o.offline_updates else "after"
            found = ranks(self.training, self.agent, self.data)
            self.ranks |= {f"{name} {when}": rank for name, rank in found.items()}
        return {name: float(np.mean([line[name] for line in lines])) for name in lines[0]}

    def _offline(self, batch: Transitions) -> dict[str, float]:
        agent, states = self.agent, batch.observations
        errors = agent.squared_errors(batch, agent.targets(batch, safe_below=self.safe_below))
        drawn = 2 * torch.rand_like(batch.actions) - 1
        far = (drawn - batch.actions).abs().amax(dim=1, keepdim=True) > _FAR
        lacking = (_DEAR * self.safe_below - largest(agent.cost_critic, states, drawn)) * far
        line = agent.fit([errors[0], errors[1] + lacking.clamp(min=0).mean()])
        actions = agent.actor(states)
        worth = least(agent.critic, states, actions)
        cheap = largest(agent.cost_critic, states, actions) <= self.safe_below
        scaled = (worth * cheap).mean() / (worth.detach().abs().mean() + 1e-6)
        likely = agent.log_likelihood(batch).mean()
        descend(agent.actor.optimizer, -scaled - self.options.cloning * likely)
        return {**line, "likelihood": likely.item()}

    def align(self, batch: Transitions) -> dict[str, float]:
        """A step of value pre-alignment; the actor stays as it is."""
        o, agent = self.options, self.agent
        return agent.fit(agent.squared_errors(batch, agent.targets(batch, o.bonus, o.cost_bonus)))

    def _iterate(self, number: int) -> dict[str, float]:
        agent, o = self.agent, self.options
        assert agent.env is not None
        agent.env.seed(word(self.training.seed, number) // 2)
        agent._last_obs = None  # fresh episodes, so that a training that is resumed goes on alike
        agent.learn(o.rollouts * self.length, callback=agent.seen, reset_num_timesteps=False)
        dones = np.array(agent.seen.dones)
        returns, costs = (episode_sums(np.array(values, float), dones).mean()
                          for values in (agent.seen.rewards, agent.seen.costs))  # fmt: skip
        return {"return": float(returns), "cost": float(costs),
                "multiplier": agent.state.multiplier}  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on."""
        numbers = self.agent.state.to_json()
        gains = numbers.pop("stored", [])
        state = torch.tensor([*numbers.values(), *gains], dtype=torch.float64)
        kept = {f"rank/{name}": torch.tensor(one) for name, one in self.ranks.items()}
        return {**self.agent.tensors(buffer=True), "controller": state, **kept}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""
        self.agent.restore(tensors)
        multiplier, average, integral, previous, *gains = tensors["controller"].tolist()
        self.agent.state = ControllerState(multiplier, average, integral, previous, tuple(gains))
        self.ranks = {name.removeprefix("rank/"): Ranks(*one.tolist())
                      for name, one in tensors.items() if name.startswith("rank/")}  # fmt: skip

    def outcome(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Networks, what they are built with, and how well critics ranked."""
        tensors, numbers = self.agent.outcome()
        ranked = {name: list(self.ranks[name]) for name in sorted(self.ranks)}
        return tensors, {**numbers, "ranks": ranked}


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one.  Raises TrainingError at what is not
    finite."""
    run_updates(workplace, Marvel)


ALGORITHM = Algorithm("offline/marvel", MarvelOptions, train, load, check, source=source)
