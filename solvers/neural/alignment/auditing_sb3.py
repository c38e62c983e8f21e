"""PPO of stable-baselines3 on a bandit whose policy is set and whose batches are given.

One state, K actions; the policy has no hidden layer, so that the bias of its last layer is the
logits.  The rollout buffer is filled with one group of actions, their rewards as advantages (the
value of a state is 0 and every episode has one step), and `train` runs one epoch on it as one
batch, with plain gradient descent of step 1 in place of Adam: what the logits move by is minus the
gradient.  On the first epoch all ratios are 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ...alignment.audits.trainers import ROUNDINGS, Finding
from ...errors import ModelError
from ...sequences import Array

TRAINERS = ("PPO",)


class Trained:
    """PPO as a subject of the auditor; settings: of PPO, in place of its defaults.

    Raises ModelError for a setting that PPO does not have.
    """

    kind = "group"
    unit = 2.0**-24
    beta: float | None = None
    multiplier: float | None = None
    group_size = 4

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        import gymnasium
        from stable_baselines3 import PPO
        from stable_baselines3.common.logger import Logger

        if name not in TRAINERS:
            raise ModelError(f"sb3:{name} is not one of {', '.join('sb3:' + x for x in TRAINERS)}")

        class Bandit(gymnasium.Env[Array, Any]):
            observation_space = gymnasium.spaces.Box(0, 1, (1,))
            action_space = gymnasium.spaces.Discrete(3)

        size = self.group_size
        base: dict[str, Any] = {
                "n_steps": size, "batch_size": size, "n_epochs": 1,
                "ent_coef": 0.0, "vf_coef": 0.0, "max_grad_norm": 1e9, "device": "cpu",
                "policy_kwargs": {"net_arch": []}, "verbose": 0}  # fmt: skip
        try:
            made = PPO("MlpPolicy", Bandit(), **(base | dict(settings)))
        except (TypeError, ValueError) as error:
            raise ModelError(f"sb3:{name} does not take these settings: {error}") from error
        self._ppo: Any = made
        self._ppo.set_logger(Logger(None, []))
        policy = self._ppo.policy
        policy.optimizer = torch.optim.SGD(policy.parameters(), lr=1.0)
        self._ppo.lr_schedule = lambda _: 1.0
        self._apart = 0.0

    def group(self, policy: Array, reference: Array, rewards: Array, drawn: Sequence[int]) -> Array:
        """The gradient on one group, see the auditor's `Subject`; there is no reference."""
        del reference
        ppo, net = self._ppo, self._ppo.policy.action_net
        logits = torch.tensor(np.log(policy), dtype=torch.float32)
        with torch.no_grad():
            net.weight.zero_()
            net.bias.copy_(logits)
        buffer, values = ppo.rollout_buffer, np.asarray(rewards)[list(drawn)]
        buffer.reset()
        buffer.actions[:, 0, 0] = drawn
        buffer.log_probs[:, 0] = np.log(policy)[list(drawn)]
        buffer.advantages[:, 0] = buffer.returns[:, 0] = values
        buffer.pos, buffer.full = buffer.buffer_size, True
        ppo.train()
        self._apart = max(self._apart, abs(ppo.logger.name_to_value["train/approx_kl"]))
        moved: Array = net.bias.detach().double().numpy() - logits.double().numpy()
        return -moved

    def ratios(self) -> Finding:
        """Whether the importance ratios of the first epoch were 1: the mean of rho - 1 - log rho,
        which no ratio but 1 makes 0, is what PPO logs as train/approx_kl."""
        bound = ROUNDINGS * self.unit
        words = "importance ratios are 1 on the first epoch"
        if self._apart > bound:
            words = f"importance ratios are not 1 on the first epoch (approx_kl {self._apart:.2g})"
        fault = self._apart > bound
        return Finding("ratios", "none" if fault else "one", words, self._apart, bound, fault)

    def pair(self, policy: Array, reference: Array, chosen: int, rejected: int) -> Array:
        """PPO takes no pairs."""
        raise ModelError("PPO takes no pairs of responses")
