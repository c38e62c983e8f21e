"""PPO and TRPO with a limit on the cost: what each does with the advantages of costs."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib import TRPO
from sb3_contrib.common.utils import conjugate_gradient_solver, flat_grad
from stable_baselines3 import PPO
from stable_baselines3.common.distributions import kl_divergence
from torch import Tensor, nn

from ...exact import Array
from ...offline.multipliers.controllers import ControllerState
from ..parts.checkpoints import Saved
from ..parts.on_policy import WithCosts
from .linearised import Step, linearised_step

if TYPE_CHECKING:
    from .cpo import CpoOptions
    from .ppo_lagrangian import PpoLagrangianOptions


class PPOLagrangian(WithCosts, PPO):
    """PPO on mixed advantages (A_r - m A_c) / (1 + m).

    The options are `PpoLagrangianOptions`, or a record that has them.  The multiplier moves by the
    measured cost before the policy does, as in algorithm 2 of Stooke, Achiam, Abbeel 2020.  The
    division keeps the size of the step whatever the multiplier is.
    """

    options: PpoLagrangianOptions

    def _setup_model(self) -> None:
        super()._setup_model()
        self.controller = self.options.state_machine()
        self.state = self.controller.first()

    def _improve(self) -> None:
        self.state = self.controller.step(self.state, float(self.episode_costs().mean()))
        multiplier = self.state.multiplier
        buffer = self.rollout_buffer
        buffer.advantages = (buffer.advantages - multiplier * self.cost_buffer.advantages) / (
            1 + multiplier
        )
        self.logger.record("train/multiplier", multiplier)
        super()._improve()

    def numbers(self) -> dict[str, Any]:
        """With the state of the controller."""
        return {**super().numbers(), "controller": self.state.to_json()}

    def restore(self, saved: Saved) -> None:
        """With the state of the controller."""
        super().restore(saved)
        self.state = ControllerState.from_json(saved.numbers["controller"])


class CPO(WithCosts, TRPO):
    """TRPO whose direction solves the step with the linearised limit, `linearised_step`.

    Where the solution ends at the edge of the trust region, as it does but for parallel gradients,
    it is TRPO's own step on the advantages ``reward A_r + cost A_c``.  So TRPO makes it, with its
    line search; then the step is shortened until the cost that importance weights measure keeps
    the limit, too.  The line search of the paper asks for more reward; this one for more of that
    combination, without which a step that must lower the cost would be refused.  The region may
    shrink with the learning rates: in a wide one the cost rises beyond what its gradient says, and
    follows the noise of its measurement, so that a limit of 0.1 ends near 0.14.
    """

    options: CpoOptions

    def _improve(self) -> None:
        self.target_kl = self.options.target_kl * self._pace(self._current_progress_remaining)
        excess = (float(self.episode_costs().mean()) - self.options.limit) / float(
            self.episode_lengths().mean()
        )
        step, actor = self._step(excess)
        buffer = self.rollout_buffer
        mixed = step.reward * _centred(buffer.advantages) + step.cost * self._cost_advantages()
        buffer.advantages = mixed / max(step.reward + abs(step.cost), 1e-30)
        data = self._data()
        before = [parameter.detach().clone() for parameter in actor]
        super()._improve()
        kept = self._shorten(actor, before, data, max(-excess, 0.0))
        self.logger.record("train/step_kept", kept)
        self.logger.record("train/recovery", float(step.case == "recovery"))
        self.logger.record("train/bound", float(step.case == "bound"))

    def _cost_advantages(self) -> Array:
        return _centred(self.cost_buffer.advantages)

    def _data(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Observations, actions, their log-probabilities and advantages of cost, of the rollout."""
        buffer = self.rollout_buffer
        actions = torch.as_tensor(buffer.actions.reshape(-1, buffer.action_dim))
        if isinstance(self.action_space, spaces.Discrete):
            actions = actions.long().flatten()
        observations = torch.as_tensor(buffer.observations.reshape(-1, *buffer.obs_shape))
        probabilities = torch.as_tensor(buffer.log_probs.flatten())
        costs = torch.as_tensor(self._cost_advantages().flatten())
        device = self.device
        return (
            observations.to(device), actions.to(device), probabilities.to(device), costs.to(device)
        )  # fmt: skip

    def _step(self, excess: float) -> tuple[Step, list[nn.Parameter]]:
        """The solution of the linearised problem, and the parameters of the law of actions."""
        observations, actions, probabilities, costs = self._data()
        rewards = torch.as_tensor(_centred(self.rollout_buffer.advantages).flatten())
        law = self.policy.get_distribution(observations)
        ratio = torch.exp(law.log_prob(actions) - probabilities)
        actor, g, grad_kl, _ = self._compute_actor_grad(
            self._divergence(observations[:: self.options.subsampling]),
            (rewards.to(self.device) * ratio).mean(),
        )
        b = flat_grad((costs * ratio).mean(), actor, retain_graph=True)

        def curved(vector: Tensor) -> Tensor:
            return self.hessian_vector_product(actor, grad_kl, vector)

        along_g, along_b = (
            conjugate_gradient_solver(curved, vector, max_iter=self.cg_max_steps)
            for vector in (g, b)
        )
        q, r, s = (float(pair[0] @ pair[1]) for pair in ((g, along_g), (g, along_b), (b, along_b)))
        return linearised_step(q, r, s, excess, self.target_kl), actor

    def _divergence(self, observations: Tensor) -> Tensor:
        """Mean divergence from the law that it is, whose curvature is the metric of the region."""
        with torch.no_grad():
            old = copy.copy(self.policy.get_distribution(observations))
        return kl_divergence(self.policy.get_distribution(observations), old).mean()

    @torch.no_grad()
    def _shorten(
        self,
        actor: list[nn.Parameter],
        before: list[Tensor],
        data: tuple[Tensor, Tensor, Tensor, Tensor],
        allowed: float,
    ) -> float:
        """Move back towards the old parameters until the cost rises by no more than is allowed.

        Returns which share of the step is kept, 0 if none could be.
        """
        observations, actions, probabilities, costs = data
        moved = [new.detach() - old for new, old in zip(actor, before, strict=True)]
        kept = 1.0
        for _ in range(self.line_search_max_iter + 1):
            for parameter, old, move in zip(actor, before, moved, strict=True):
                parameter.data = old + kept * move
            law = self.policy.get_distribution(observations)
            ratio = torch.exp(law.log_prob(actions) - probabilities)
            if float((costs * (ratio - 1)).mean()) <= allowed:
                return kept
            kept *= self.line_search_shrinking_factor
        for parameter, old in zip(actor, before, strict=True):
            parameter.data = old
        return 0.0


def _centred(advantages: Array) -> Array:
    """Less their mean, which changes no expected gradient and lowers its variance."""
    return np.asarray(advantages - advantages.mean())
