"""One update of a leader who pays a follower: SAC learns, the critic learns, the leader climbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from scipy.signal import lfilter
from stable_baselines3 import SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.torch_layers import create_mlp
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.utils import polyak_update
from torch import Tensor, nn

from ..parts.checkpoints import named, optimizer_tensors, part, set_optimizer_tensors
from ..parts.training import Training
from .ascent import word
from .pendulum import TASK, PendulumOptions

_HORIZON, _OTHERS, _BATCH = 100, 16, 128
"""Steps of an episode of the leader's; actions that a state's mean is taken over; and SAC's batch."""
_RATE, _FOLLOWING, _BUFFER = 1e-3, 0.01, 20_000
"""Learning rate of SAC and critic, share that the critic's target takes, and transitions kept."""
_COLUMNS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
_UNITS = torch.tensor([1.0, 1.0, 0.25])
"""Of cosine, sine and speed, so that all are of the order of one."""


class Repaid(ReplayBuffer):
    """Transitions whose reward is what the leader pays for them now."""

    pay: Callable[[Tensor, Tensor], Tensor]

    def _get_samples(self, batch_inds: Any, env: Any = None) -> ReplayBufferSamples:
        found = super()._get_samples(batch_inds, env)
        with torch.no_grad():
            return found._replace(rewards=self.pay(found.observations, found.actions)[:, None])


class Paid:
    """The state of one training."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.options: PendulumOptions = training.options
        o, tanh = self.options, nn.Tanh
        self.leader = nn.Sequential(*create_mlp(3, 1, [o.width] * 2, tanh))
        self.critic, self.target = (
            nn.Sequential(*create_mlp(4, 1, [o.critic_width] * 2, tanh)) for _ in range(2)
        )
        self.target.load_state_dict(self.critic.state_dict())
        nn.init.zeros_(self.leader[-1].weight)  # nothing is paid at first
        nn.init.zeros_(self.leader[-1].bias)
        self.climber = torch.optim.Adam(self.leader.parameters(), lr=o.learning_rate)
        self.fitter = torch.optim.Adam(self.critic.parameters(), lr=_RATE)
        self.follower = SAC(
            "MlpPolicy", gymnasium.make(TASK), ent_coef=o.temperature, gamma=o.discount,
            learning_rate=_RATE, batch_size=_BATCH, learning_starts=_BATCH, buffer_size=_BUFFER,
            replay_buffer_class=Repaid, policy_kwargs={"net_arch": [o.critic_width] * 2},
            seed=word(training.seed, 0),
        )  # fmt: skip
        self.follower.replay_buffer.pay = self.pay
        self.rollouts = gymnasium.make_vec(TASK, o.episodes, vectorization_mode="sync")

    def paid(self, states: Tensor) -> Tensor:
        """What the leader pays in states [..., 3], for each step."""
        found: Tensor = self.leader(states * _UNITS)[..., 0]
        return found

    def pay(self, states: Tensor, actions: Tensor) -> Tensor:
        """The follower's reward."""
        return self.paid(states) - self.options.effort * actions.square().sum(-1)

    def earned(self, states: Tensor) -> Tensor:
        """The leader's reward: how far the pendulum leans, less the price of payments."""
        return states[..., 1] - self.options.price * self.paid(states).square()

    def update(self, number: int) -> dict[str, float]:
        """The follower's and the critic's learning, and one step of the leader's; its line."""
        self._follow(number)
        self._evaluate()
        o, states, actions = self.options, *self._roll(number)
        times = o.discount ** torch.arange(_HORIZON)
        own = times * self.earned(states)
        with torch.no_grad():
            others = states[:, :, None].expand(-1, -1, _OTHERS, -1)
            drawn = self.follower.actor(others.reshape(-1, 3)).view(*others.shape[:3], 1)
            expected = self._worth(self.critic, others, drawn).mean(dim=2)
            weights = times * (self._worth(self.critic, states, actions) - expected)
        trace = lfilter([1.0], [1.0, -o.discount], weights.numpy(), axis=1).astype(np.float32)
        reaction = torch.as_tensor(trace) * self.pay(states, actions) / o.temperature
        sign = {"bc-hg": 1, "flipped": -1, "naive": 0, "untrained": 0}[o.method]
        if o.method != "untrained":
            self.climber.zero_grad()
            (-(own + sign * reaction).sum(dim=1).mean()).backward()
            nn.utils.clip_grad_norm_(self.leader.parameters(), 1.0)
            self.climber.step()
        with torch.no_grad():
            leaning = float((times * states[..., 1]).sum(dim=1).mean())
            amounts = self.paid(states).square().mean().sqrt()
        return {"objective": float(own.sum(dim=1).mean()), "leaning": leaning,
                "paid": float(amounts)}  # fmt: skip

    def _follow(self, number: int) -> None:
        """SAC's own steps, from a fresh episode with random numbers of this update."""
        seed, o = word(self.training.seed, number), self.options
        self.follower.set_random_seed(seed)
        self.follower._last_obs = None  # so that a training that is resumed begins alike
        steps = o.steps if number > 1 else o.warm
        self.follower.learn(steps, reset_num_timesteps=False)

    def _evaluate(self) -> None:
        """Steps of the leader's critic on the follower's transitions, by its actions now."""
        for _ in range(self.options.steps):
            seen = self.follower.replay_buffer.sample(_BATCH)
            with torch.no_grad():
                after = self.follower.actor(seen.next_observations)
                later = self._worth(self.target, seen.next_observations, after)
                wanted = self.earned(seen.observations) + self.options.discount * later
            found = self._worth(self.critic, seen.observations, seen.actions)
            loss = nn.functional.mse_loss(found, wanted)
            self.fitter.zero_grad()
            loss.backward()
            self.fitter.step()
            polyak_update(self.critic.parameters(), self.target.parameters(), _FOLLOWING)

    def _worth(self, critic: nn.Module, states: Tensor, actions: Tensor) -> Tensor:
        found: Tensor = critic(torch.cat([states * _UNITS, actions], dim=-1))[..., 0]
        return found

    def _roll(self, number: int) -> tuple[Tensor, Tensor]:
        """float32[N, T, 3] states and [N, T, 1] actions in [-1, 1], of the policy as it is."""
        state, _ = self.rollouts.reset(seed=word(self.training.seed, number))
        states, actions = [], []
        for _ in range(_HORIZON):
            with torch.no_grad():
                action = self.follower.actor(torch.as_tensor(state))
            states.append(torch.as_tensor(state))
            actions.append(action)
            state, *_ = self.rollouts.step(self.follower.policy.unscale_action(action.numpy()))
        return torch.stack(states, dim=1), torch.stack(actions, dim=1)

    def reached(self) -> float:
        """The leader's objective on fresh episodes, after the last update."""
        with torch.no_grad():
            states, _ = self._roll(self.options.updates + 1)
            times = self.options.discount ** torch.arange(_HORIZON)
            return float((times * self.earned(states)).sum(dim=1).mean())

    def _modules(self) -> dict[str, nn.Module]:
        return {"leader": self.leader, "critic": self.critic, "target": self.target,
                "policy": self.follower.policy}  # fmt: skip

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        follower = self.follower
        return {"climber": self.climber, "fitter": self.fitter,
                "actor": follower.actor.optimizer, "q": follower.critic.optimizer}  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on; theta is the leader."""
        buffer = self.follower.replay_buffer
        found = {"theta": nn.utils.parameters_to_vector(self.leader.parameters())}
        for name, module in self._modules().items():
            found |= named(name, module.state_dict())
        for name, optimizer in self._optimizers().items():
            found |= named(f"of {name}", optimizer_tensors(optimizer))
        columns = {name: torch.as_tensor(getattr(buffer, name)[: buffer.size()])
                   for name in _COLUMNS}  # fmt: skip
        place = torch.tensor([buffer.pos, int(buffer.full), self.follower.num_timesteps])
        return {**found, **named("seen", columns), "place": place}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Go on after the update in which `tensors` were taken."""
        buffer = self.follower.replay_buffer
        for name, module in self._modules().items():
            module.load_state_dict(part(name, tensors))
        for name, optimizer in self._optimizers().items():
            set_optimizer_tensors(optimizer, part(f"of {name}", tensors))
        for name, column in part("seen", tensors).items():
            getattr(buffer, name)[: len(column)] = column.numpy()
        pos, full, steps = tensors["place"].tolist()
        buffer.pos, buffer.full, self.follower.num_timesteps = pos, bool(full), steps
