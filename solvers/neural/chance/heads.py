"""One network with two heads and a coin: the flip that depends on what is observed.

The law of the action is w(o) pi_1(. | o) + (1 - w(o)) pi_2(. | o).  All three come from one trunk
and are trained end to end, with exact log-probabilities: of discrete actions through the mixed
logits, of continuous ones through a mixture of two diagonal Gaussians.  The flipping policy of
Shen et al. 2024 (arXiv:2410.06474), equation FPO, with a state-dependent weight.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import (
    CategoricalDistribution,
    DiagGaussianDistribution,
    Distribution,
)
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal
from torch.nn.functional import logsigmoid

from ...errors import ModelError
from ...exact import Array

HEAD_GAIN = 0.5
"""Gain of the heads' first weights.  With Stable-Baselines3's 0.01 both heads start as one law and
stay so, since each gets the same gradient: the flip is never learnt.  A larger gain explores less
at the start."""


class MixedCategorical(CategoricalDistribution):
    """Two categorical laws and a coin; parameters are n logits, n logits and the coin's logit."""

    def proba_distribution_net(self, latent_dim: int) -> nn.Module:
        """The layer that gives the 2n + 1 parameters."""
        return nn.Linear(latent_dim, 2 * self.action_dim + 1)

    def proba_distribution(self, action_logits: Tensor) -> MixedCategorical:
        """The mixture itself, a categorical law: entropy and divergences are exact, too."""
        one, other, coin = self.parts(action_logits)
        weighted = (logsigmoid(coin) + one, logsigmoid(-coin) + other)
        self.distribution = Categorical(logits=torch.logaddexp(*weighted))
        return self

    def parts(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-probabilities (B, n) of both heads, and the logit (B, 1) of the first's weight."""
        one, other, coin = parameters.split([self.action_dim, self.action_dim, 1], dim=-1)
        return one.log_softmax(-1), other.log_softmax(-1), coin

    def head(self, parameters: Tensor, index: int, log_std: Tensor | None) -> Distribution:
        """The law of one head."""
        del log_std
        return CategoricalDistribution(self.action_dim).proba_distribution(
            self.parts(parameters)[index]
        )


class MixedGaussian(DiagGaussianDistribution):
    """Two diagonal Gaussians and a coin; parameters are d means, d means and the coin's logit."""

    def proba_distribution_net(
        self, latent_dim: int, log_std_init: float = 0.0
    ) -> tuple[nn.Module, nn.Parameter]:
        """The layer that gives the 2d + 1 parameters, and log standard deviations (2, d)."""
        deviations = torch.full((2, self.action_dim), log_std_init)
        return nn.Linear(latent_dim, 2 * self.action_dim + 1), nn.Parameter(deviations)

    def proba_distribution(self, mean_actions: Tensor, log_std: Tensor) -> MixedGaussian:
        """The mixture; it has no entropy in closed form, for which Stable-Baselines3 samples."""
        means, coin = self.parts(mean_actions)
        deviations = log_std.exp().expand_as(means)
        weights = Categorical(logits=torch.cat([logsigmoid(coin), logsigmoid(-coin)], dim=-1))
        self.distribution: Any = MixtureSameFamily(
            weights, Independent(Normal(means, deviations), 1)
        )
        return self

    def parts(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Means (B, 2, d) of the heads, and the logit (B, 1) of the first one's weight."""
        means, coin = parameters.split([2 * self.action_dim, 1], dim=-1)
        return means.unflatten(-1, (2, self.action_dim)), coin

    def log_prob(self, actions: Tensor) -> Tensor:
        """Log-density (B) of actions (B, d)."""
        return self.distribution.log_prob(actions)

    def entropy(self) -> None:
        """None: there is no closed form."""

    def sample(self) -> Tensor:
        """Actions (B, d), drawn by torch's generator, without a gradient."""
        return self.distribution.sample()

    def mode(self) -> Tensor:
        """Of the two means (B, d) the one of larger density under the mixture."""
        means = self.distribution.component_distribution.mean
        densities = torch.stack([self.log_prob(means[:, i]) for i in range(2)], dim=-1)
        best = densities.argmax(dim=-1)
        return means[torch.arange(len(means)), best]

    def head(self, parameters: Tensor, index: int, log_std: Tensor | None) -> Distribution:
        """The law of one head."""
        assert log_std is not None
        means = self.parts(parameters)[0][:, index]
        return DiagGaussianDistribution(self.action_dim).proba_distribution(means, log_std[index])


class TwoHeadPolicy(ActorCriticPolicy):
    """An actor-critic policy of Stable-Baselines3 whose action law is a state-dependent flip.

    Takes the arguments of `ActorCriticPolicy`; PPO takes it as its ``policy``.  Raises ModelError
    when the actions are neither Discrete nor a Box, and for state-dependent exploration noise.
    """

    action_dist: MixedCategorical | MixedGaussian
    action_net: nn.Linear
    log_std: nn.Parameter
    only: int | None = None

    def _build(self, lr_schedule: Schedule) -> None:
        if self.use_sde:
            raise ModelError("use_sde is True; two heads have no state-dependent noise, leave it")
        self.action_dist = _mixture_over(self.action_space)
        super()._build(lr_schedule)
        self._part_the_heads()

    def _part_the_heads(self) -> None:
        """Give each head, though not the coin, first weights that tell it from the other."""
        own = (self.action_net.out_features - 1) // 2
        with torch.no_grad():
            for start in (0, own):
                nn.init.orthogonal_(self.action_net.weight[start : start + own], gain=HEAD_GAIN)

    def _get_action_dist_from_latent(self, latent_pi: Tensor) -> Distribution:
        if self.only is None:
            return super()._get_action_dist_from_latent(latent_pi)
        deviations = getattr(self, "log_std", None)
        return self.action_dist.head(self.action_net(latent_pi), self.only, deviations)

    def head(self, index: int) -> TwoHeadPolicy:
        """The policy that always follows head 0 or 1, on the same parameters."""
        if index not in (0, 1):
            raise ModelError(f"head is {index}; there are heads 0 and 1")
        alone = copy.copy(self)
        alone.only = index
        return alone

    def second_chances(self, observation: Array) -> Array:
        """float64[B], the probability 1 - w(o) of the second head at each observation."""
        self.set_training_mode(False)
        with torch.no_grad():
            seen, _ = self.obs_to_tensor(observation)
            coin = self._parameters_at(seen)[:, -1]
            return np.asarray(torch.sigmoid(-coin.double()).cpu().numpy())

    def _parameters_at(self, observation: PyTorchObs) -> Tensor:
        features = self.extract_features(observation, self.pi_features_extractor)
        features = features if isinstance(features, Tensor) else features[0]
        parameters: Tensor = self.action_net(self.mlp_extractor.forward_actor(features))
        return parameters


def _mixture_over(actions: spaces.Space) -> MixedCategorical | MixedGaussian:
    if isinstance(actions, spaces.Discrete):
        return MixedCategorical(int(actions.n))
    if isinstance(actions, spaces.Box) and len(actions.shape) == 1:
        return MixedGaussian(actions.shape[0])
    raise ModelError(
        f"the actions are {actions}; two heads choose among Discrete actions or in a Box of one "
        "dimension"
    )
