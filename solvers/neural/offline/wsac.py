"""WSAC as it is run (Wei, Peng, Ghosh, Liu 2024, algorithm 2): adversarial critics, a slow actor.

With L(pi, f) = E_data[f(s, pi) - f(s, a)] and a Bellman error E >= 0::

    f_r minimises L(pi, f) + beta E_r,   f_c minimises -lambda L(pi, f) + beta E_c,
    pi minimises -L(pi, f_r) + lambda {L(pi, f_c)}_+,

the positive part outside of the mean over the batch, as it is printed (the theory has it inside).
The code of the paper adds a constant to Q_c for the actor (UB_QC), here `margin` to L(pi, f_c).
It begins with the likeliest policy of the data, as the theory would have it.  E is the mean squared
error (as the paper's code), or the largest over weights in [0, 1] of the mean weighted error
("wapprox": of its positive or of its negative part), half with the target network's value of what
follows and half with its own (as ATAC).  Losses of critics are divided by 1 + beta.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import ModelError
from ..parts.algorithms import Algorithm
from ..parts.constrained import refuse_idle, require_positive, require_share
from ..parts.runs import Workplace
from ..parts.task_data import data_of, source
from ..parts.tasks import make
from ..parts.training import Training, option
from ..parts.updates import run_updates, word
from .data import PER_UPDATE, OfflineOptions, check, require_whole
from .safe_sac import SafeSAC, Transitions, descend, least, load

REGULARISERS = ("squared", "wapprox")


@dataclass(frozen=True)
class WsacOptions(OfflineOptions):
    """Options of WSAC; the defaults train for half a minute of one core."""

    warm_steps: int = option(1500, "gradient steps of the likelihood of recorded actions, first")
    steps: int = option(2000, "gradient steps of critics and actor; 0 for behaviour cloning")
    beta: float = option(20.0, "weight of the Bellman errors")
    penalty: float = option(2.0, "lambda, the weight of costs above the data's; 0 for none")
    margin: float = option(
        0.05, "what the penalty adds to L(pi, f_c), as if costs were that much more"
    )
    regulariser: str = option("squared", "the Bellman error: squared, or wapprox")
    fast_rate: float = option(5e-4, "of Adam, for critics and the likelihood")
    slow_rate: float = option(5e-5, "of Adam, for the actor against the critics")
    follow: float = option(0.005, "share that target networks take of critics a step")
    drawn: bool = option(False, "critics and actor are of drawn actions, not of the likeliest")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "warm_steps fast_rate slow_rate follow")
        require_share(self, "follow")
        require_whole(self, "warm_steps steps")
        for name in ("beta", "penalty", "margin"):
            if getattr(self, name) < 0:
                raise ModelError(f"{name} = {getattr(self, name)}; give 0 or more")
        if self.regulariser not in REGULARISERS:
            raise ModelError(
                f"regulariser = {self.regulariser!r}; give one of {', '.join(REGULARISERS)}"
            )
        if not self.steps:
            refuse_idle(self, "beta penalty margin regulariser slow_rate follow drawn", "steps = 0")

    @property
    def updates(self) -> int:
        """Of 100 gradient steps."""
        return (self.warm_steps + self.steps) // PER_UPDATE


def critic_terms(
    agent: SafeSAC, batch: Transitions, chosen: tuple[Tensor, Tensor], regulariser: str
) -> list[tuple[Tensor, Tensor]]:
    """(L, E) of rewards and of costs on a batch.

    chosen: the actor's actions before and after each step.
    """
    found, (actions, following) = [], chosen
    critics = ((agent.critic, agent.critic_target, batch.rewards),
               (agent.cost_critic, agent.cost_target, batch.costs))  # fmt: skip
    states = torch.cat([batch.observations, batch.observations, batch.next_observations])
    taken = torch.cat([actions, batch.actions, following])
    for critic, target, earned in critics:
        at_own, recorded, after = least(critic, states, taken).chunk(3)
        with torch.no_grad():
            fixed = least(target, batch.next_observations, following)
        left = agent.gamma * (1 - batch.dones)
        errors = [regularised(recorded - earned - left * value, regulariser)
                  for value in (fixed, after)]  # fmt: skip
        found.append(((at_own - recorded).mean(), (errors[0] + errors[1]) / 2))
    return found


def advantages(agent: SafeSAC, batch: Transitions, actions: Tensor) -> list[Tensor]:
    """L(pi, f_r) and L(pi, f_c) on a batch, for actions of the actor."""
    seen, found = batch.observations, []
    for critic in (agent.critic, agent.cost_critic):
        with torch.no_grad():
            recorded = least(critic, seen, batch.actions)
        found.append((least(critic, seen, actions) - recorded).mean())
    return found


def regularised(errors: Tensor, regulariser: str) -> Tensor:
    """The mean square, or the larger of the means of positive and of negative parts."""
    if regulariser == "squared":
        return errors.square().mean()
    return torch.maximum(errors.clamp(min=0).mean(), (-errors).clamp(min=0).mean())


class Wsac:
    """The state of one training."""

    def __init__(self, training: Training) -> None:
        self.training, data = training, data_of(training)
        self.options: WsacOptions = training.options
        o = self.options
        env = make(training.task, seed=0, n_envs=1, first_violation=False)
        self.agent = SafeSAC(
            env, width=o.width, critics=1, gamma=o.discount, tau=o.follow,
            learning_rate=o.fast_rate, buffer_size=len(data.rewards), device=training.device,
        )  # fmt: skip
        self.agent.learn_from(data)
        self.slow = torch.optim.Adam(self.agent.actor.parameters(), lr=o.slow_rate, fused=True)

    def update(self, number: int) -> dict[str, float]:
        """A hundred gradient steps; their mean line."""
        buffer, warm = self.agent.replay_buffer, self.options.warm_steps // PER_UPDATE
        buffer.stream = np.random.default_rng(word(self.training.seed, number))
        step = self._clone if number <= warm else self._improve
        lines = [step(buffer.sample(self.options.batch)) for _ in range(PER_UPDATE)]
        return {name: float(np.mean([line[name] for line in lines])) for name in lines[0]}

    def _clone(self, batch: Transitions) -> dict[str, float]:
        loss = -self.agent.log_likelihood(batch).mean()
        descend(self.agent.actor.optimizer, loss)
        return {"loss": loss.item()}

    def _improve(self, batch: Transitions) -> dict[str, float]:
        agent, o = self.agent, self.options
        with torch.no_grad():
            states = torch.cat([batch.observations, batch.next_observations])
            chosen = agent.actor(states, not o.drawn).chunk(2)
        (better, error), (dearer, cost_error) = critic_terms(agent, batch, chosen, o.regulariser)
        losses = [better + o.beta * error, -o.penalty * dearer + o.beta * cost_error]
        line = agent.fit([loss / (1 + o.beta) for loss in losses])
        better, dearer = advantages(agent, batch, agent.actor(batch.observations, not o.drawn))
        descend(self.slow, -better + o.penalty * (dearer + o.margin).clamp(min=0))
        return {**line, "better": better.item(), "dearer": dearer.item()}

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on."""
        from ..parts.checkpoints import named, optimizer_tensors

        slow = named("slow", optimizer_tensors(self.slow))
        return {**self.agent.tensors(buffer=False), **slow}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""
        from ..parts.checkpoints import part, set_optimizer_tensors

        self.agent.restore(tensors)
        set_optimizer_tensors(self.slow, part("slow", tensors))

    def outcome(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Networks, and what they are built with."""
        return self.agent.outcome()


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one.  Raises TrainingError at what is not
    finite."""
    run_updates(workplace, Wsac)


ALGORITHM = Algorithm("offline/wsac", WsacOptions, train, load, check, source=source)
