"""BC-HG with a follower that learns by SAC (stable-baselines3), on a pendulum, for designed pay.

The leader wants the pendulum to lean to one side, and pays the follower for where it is by a
network, at a price that is quadratic in what is paid.  The follower's reward is what it is paid
less its effort.  Neither stable-baselines3 nor sb3-contrib has SAC for discrete actions; small
problems have soft Q-iteration instead (`ascent`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

from ...errors import ModelError
from ..parts.algorithms import Algorithm
from ..parts.checkpoints import named, optimizer_tensors, part, set_optimizer_tensors
from ..parts.constrained import require_positive
from ..parts.runs import Workplace
from ..parts.training import Training, option
from ..parts.updates import run_updates, word
from .ascent import load

TASK = "Pendulum-v1"
METHODS = ("bc-hg", "naive", "flipped", "untrained")
_TEMPERATURE, _PRICE, _EFFORT, _DISCOUNT = 0.1, 0.005, 0.1, 0.95
"""Of SAC's entropy; for the square of a payment, and of a torque; of both.  At four times the price
leaning is hardly worth what it costs; a larger discount takes longer episodes."""
_WIDTHS = {"leader": [32, 32], "critic": [64, 64]}
"""Units of networks; SAC's are as wide as the critic."""
_HORIZON, _OTHERS, _BATCH, _JUDGED = 100, 16, 128, 256
"""Steps of an episode of the leader's; actions that a state's mean is taken over; SAC's batch; and
episodes that the last policies are judged on."""
_RATE, _FOLLOWING, _BUFFER = 1e-3, 0.01, 20_000
"""Learning rate of SAC and critic, share that the critic's target takes, and transitions kept."""
_COLUMNS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
_UNITS = torch.tensor([1.0, 1.0, 0.25])
"""Of cosine, sine and speed, so that all are of the order of one."""


@dataclass(frozen=True)
class PendulumOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    method: str = option("bc-hg", "bc-hg, naive (direct term); controls: flipped, untrained")
    updates: int = option(60, "of the leader")
    warm: int = option(1000, "steps of the follower before the first update")
    steps: int = option(100, "of the follower between updates, each with a step of its networks")
    episodes: int = option(32, "of 100 steps that an estimate is made of")
    learning_rate: float = option(0.01, "of the leader's Adam")
    checkpoint_every: int = option(10, "updates between checkpoints; 0 for none")

    def __post_init__(self) -> None:
        require_positive(self, "updates warm steps episodes learning_rate")
        if self.method not in METHODS or self.checkpoint_every < 0:
            raise ModelError(
                f"method = {self.method!r} must be one of {', '.join(METHODS)}, and "
                f"checkpoint_every = {self.checkpoint_every} not negative"
            )


def check(training: Training) -> None:
    """Raises ModelError for another task than Pendulum-v1, or a device other than the CPU."""
    if (training.task, training.device) != (TASK, "cpu"):
        raise ModelError(
            f"task {training.task!r} on {training.device!r}; the task is {TASK!r}, on the cpu"
        )


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
        self.leader = nn.Sequential(*create_mlp(3, 1, _WIDTHS["leader"], nn.Tanh))
        self.critic, self.target = (
            nn.Sequential(*create_mlp(4, 1, _WIDTHS["critic"], nn.Tanh)) for _ in range(2)
        )
        self.target.load_state_dict(self.critic.state_dict())
        for parameter in self.leader[-1].parameters():
            nn.init.zeros_(parameter)  # nothing is paid at first
        self.climber = torch.optim.Adam(self.leader.parameters(), lr=self.options.learning_rate)
        self.fitter = torch.optim.Adam(self.critic.parameters(), lr=_RATE)
        self.follower = SAC(
            "MlpPolicy", gymnasium.make(TASK), ent_coef=_TEMPERATURE, gamma=_DISCOUNT,
            learning_rate=_RATE, batch_size=_BATCH, learning_starts=_BATCH, buffer_size=_BUFFER,
            replay_buffer_class=Repaid, policy_kwargs={"net_arch": _WIDTHS["critic"]},
            seed=word(training.seed, 0),
        )  # fmt: skip
        self.seen.pay = self.pay

    @property
    def seen(self) -> Repaid:
        """All transitions of the follower that are kept."""
        found = self.follower.replay_buffer
        assert isinstance(found, Repaid)
        return found

    def paid(self, states: Tensor) -> Tensor:
        """What the leader pays in states [..., 3], for each step."""
        found: Tensor = self.leader(states * _UNITS)[..., 0]
        return found

    def pay(self, states: Tensor, actions: Tensor) -> Tensor:
        """The follower's reward."""
        return self.paid(states) - _EFFORT * actions.square().sum(-1)

    def earned(self, states: Tensor) -> Tensor:
        """The leader's reward: how far the pendulum leans, less the price of payments."""
        return states[..., 1] - _PRICE * self.paid(states).square()

    def update(self, number: int) -> dict[str, float]:
        """The follower's and the critic's learning, and one step of the leader's; its line."""
        self._follow(number)
        self._evaluate()
        o = self.options
        states, actions = self._roll(number, o.episodes)
        times = _DISCOUNT ** torch.arange(_HORIZON)
        own = times * self.earned(states)
        with torch.no_grad():
            others = states[:, :, None].expand(-1, -1, _OTHERS, -1)
            drawn = self.follower.actor(others.reshape(-1, 3)).view(*others.shape[:3], 1)
            expected = self._worth(self.critic, others, drawn).mean(dim=2)
            weights = times * (self._worth(self.critic, states, actions) - expected)
        trace = lfilter([1.0], [1.0, -_DISCOUNT], weights.numpy(), axis=1).astype(np.float32)
        reaction = torch.as_tensor(trace) * self.pay(states, actions) / _TEMPERATURE
        sign = {"bc-hg": 1, "flipped": -1, "naive": 0, "untrained": 0}[o.method]
        if o.method != "untrained":
            self.climber.zero_grad()
            (-(own + sign * reaction).sum(dim=1).mean()).backward()
            nn.utils.clip_grad_norm_(self.leader.parameters(), 1.0)
            self.climber.step()
        with torch.no_grad():
            leaning = float((times * states[..., 1]).sum(dim=1).mean())
            amounts = self.paid(states).square().mean().sqrt()
        return {"objective": float(own.detach().sum(dim=1).mean()), "leaning": leaning,
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
            seen = self.seen.sample(_BATCH)
            with torch.no_grad():
                after = self.follower.actor(seen.next_observations)
                later = self._worth(self.target, seen.next_observations, after)
                wanted = self.earned(seen.observations) + _DISCOUNT * later
            found = self._worth(self.critic, seen.observations, seen.actions)
            loss = nn.functional.mse_loss(found, wanted)
            self.fitter.zero_grad()
            loss.backward()
            self.fitter.step()
            polyak_update(self.critic.parameters(), self.target.parameters(), _FOLLOWING)

    def _worth(self, critic: nn.Module, states: Tensor, actions: Tensor) -> Tensor:
        found: Tensor = critic(torch.cat([states * _UNITS, actions], dim=-1))[..., 0]
        return found

    def _roll(self, number: int, episodes: int) -> tuple[Tensor, Tensor]:
        """float32[N, T, 3] states and [N, T, 1] actions in [-1, 1], of the policy as it is."""
        rollouts = gymnasium.make_vec(TASK, episodes, vectorization_mode="sync")
        state, _ = rollouts.reset(seed=word(self.training.seed, number))
        states, actions = [], []
        for _ in range(_HORIZON):
            with torch.no_grad():
                action = self.follower.actor(torch.as_tensor(state))
            states.append(torch.as_tensor(state))
            actions.append(action)
            state, *_ = rollouts.step(self.follower.policy.unscale_action(action.numpy()))
        return torch.stack(states, dim=1), torch.stack(actions, dim=1)

    def outcome(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """With the leader's objective on fresh episodes, after the last update."""
        with torch.no_grad():
            states, _ = self._roll(self.options.updates + 1, _JUDGED)
            times = _DISCOUNT ** torch.arange(_HORIZON)
            objective = float((times * self.earned(states)).sum(dim=1).mean())
        return self.tensors(), {"objective": objective}

    def _modules(self) -> dict[str, nn.Module]:
        return {"leader": self.leader, "critic": self.critic, "target": self.target,
                "policy": self.follower.policy}  # fmt: skip

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        follower = self.follower
        return {"climber": self.climber, "fitter": self.fitter,
                "actor": follower.actor.optimizer, "q": follower.critic.optimizer}  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """All that a further update depends on; theta is the leader."""
        buffer = self.seen
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
        buffer = self.seen
        for name, module in self._modules().items():
            module.load_state_dict(part(name, tensors))
        for name, optimizer in self._optimizers().items():
            set_optimizer_tensors(optimizer, part(f"of {name}", tensors))
        for name, column in part("seen", tensors).items():
            getattr(buffer, name)[: len(column)] = column.numpy()
        pos, full, steps = tensors["place"].tolist()
        buffer.pos, buffer.full, self.follower.num_timesteps = pos, bool(full), steps


def train(workplace: Workplace) -> None:
    """Train, from the last checkpoint if there is one.  Raises TrainingError at what is not
    finite."""
    run_updates(workplace, Paid)


ALGORITHM = Algorithm("hypergradient/pendulum", PendulumOptions, train, load, check)
