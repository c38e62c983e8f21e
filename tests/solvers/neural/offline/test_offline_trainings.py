"""Trainings on recorded episodes: targets by hand, signs of gradients, frozen parts, resumption."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from holdfast.solvers.errors import ModelError
from holdfast.solvers.neural.offline import marvel, wsac
from holdfast.solvers.neural.offline.marvel import Marvel, MarvelOptions, spread_limit
from holdfast.solvers.neural.offline.ranks import ranked
from holdfast.solvers.neural.offline.safe_sac import SafeSAC, Transitions, descend
from holdfast.solvers.neural.offline.wsac import Wsac, WsacOptions, regularised
from holdfast.solvers.neural.parts.algorithms import find
from holdfast.solvers.neural.parts.runs import obtain
from holdfast.solvers.neural.parts.task_data import behaviour
from holdfast.solvers.neural.parts.tasks import make
from holdfast.solvers.neural.parts.training import Training, TrainingError
from holdfast.solvers.neural.parts.worlds import circle
from holdfast.solvers.offline.multipliers.controllers import ControllerState

SHORT: dict[str, Any] = {"episodes": 8, "width": 8, "batch": 32, "checkpoint_every": 1}
WSAC = WsacOptions(**SHORT, warm_steps=100, steps=200)
MARVEL = MarvelOptions(
    **SHORT, offline_steps=100, alignment_steps=100, iterations=2, rollouts=2, gradient_steps=3,
    multiplier=50.0, ascent_rate=2**-6, limit=8.0,
)  # fmt: skip
ADAPTIVE = replace(MARVEL, controller="adaptive", ascent_rate=0.01)


def _training(options: Any, seed: int = 0) -> Training:
    name = "wsac" if isinstance(options, WsacOptions) else "marvel"
    return Training(f"offline/{name}", circle.TASK, seed, options)


def _agent() -> SafeSAC:
    torch.manual_seed(0)
    env = make(circle.TASK, seed=0, n_envs=2, first_violation=False)
    agent = SafeSAC(env, width=8, critics=2, gamma=0.5, tau=1.0, buffer_size=100)
    agent.replay_buffer.stream = np.random.default_rng(0)
    return agent


def _batch(agent: SafeSAC) -> Transitions:
    agent.learn_from(behaviour(circle.TASK, 1, 0))
    return agent.replay_buffer.sample(16)


def test_the_buffer_holds_the_data_and_time_does_not_end_it() -> None:
    agent, data = _agent(), behaviour(circle.TASK, 1, 0)
    batch = _batch(agent)
    rows = {row.tobytes(): at for at, row in enumerate(data.observations)}
    for at, seen in enumerate(batch.observations.numpy()):
        where = rows[seen.tobytes()]
        assert batch.actions[at].numpy() == pytest.approx(data.actions[where])  # once scaled
        assert batch.costs[at].item() == data.costs[where]
        assert batch.rewards[at].item() == np.float32(data.rewards[where])
    assert data.timeouts[-1]
    assert not batch.dones.any()


def test_targets_are_those_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """r + 1/2 (min Q - b log pi) and c + 1/2 (max Q_c - b_c log pi), 0 for Q after a dear action,
    and nothing after an end."""
    agent = _agent()
    batch = _batch(agent)._replace(dones=torch.ones(16, 1))
    assert torch.equal(agent.targets(batch)[0], batch.rewards)
    batch = batch._replace(dones=torch.zeros(16, 1))
    actions = torch.full((16, 2), 0.25)
    monkeypatch.setattr(
        type(agent.actor), "action_log_prob", lambda self, seen: (actions, torch.full((16,), -3.0))
    )
    with torch.no_grad():
        first, second = agent.critic_target(batch.next_observations, actions)
        dear, dearer = agent.cost_target(batch.next_observations, actions)
    low, high = torch.minimum(first, second), torch.maximum(dear, dearer)
    rewards, costs = agent.targets(batch, 2.0, 1.0)
    assert torch.allclose(rewards, batch.rewards + 0.5 * (low + 6))
    assert torch.allclose(costs, batch.costs + 0.5 * (high + 3))
    middle = float(high.median())
    kept, _ = agent.targets(batch, safe_below=middle)
    assert torch.allclose(kept, batch.rewards + 0.5 * low * (high <= middle))
    assert (high > middle).any()


def test_the_positive_part_stands_outside_of_the_mean() -> None:
    """An actor whose critic of costs says less than of the data feels no penalty."""
    training = _training(WSAC)
    torch.manual_seed(0)
    agent = Wsac(training).agent
    batch = agent.replay_buffer.sample(64)
    _, dearer = wsac.advantages(agent, batch, agent.actor(batch.observations, True))
    sign = torch.sign(dearer).item()
    last = agent.cost_critic.q_networks[0][-1]
    with torch.no_grad():  # turn the critic over where it says more
        last.weight *= -sign
        last.bias *= -sign
    _, cheaper = wsac.advantages(agent, batch, agent.actor(batch.observations, True))
    assert cheaper.item() < 0
    assert torch.autograd.grad(
        cheaper.clamp(min=0), agent.actor.mu.weight, retain_graph=True
    )[0].count_nonzero() == 0  # fmt: skip
    each = agent.cost_critic(batch.observations, agent.actor(batch.observations, True))[0]
    recorded = agent.cost_critic(batch.observations, batch.actions)[0]
    assert ((each - recorded) > 0).any()  # within the mean some would be penalised


def test_critics_move_the_way_that_is_printed() -> None:
    """A step of f_r lowers L, one of f_c raises it, where no Bellman error holds them."""
    torch.manual_seed(0)
    agent = Wsac(_training(WSAC)).agent
    batch = agent.replay_buffer.sample(64)
    with torch.no_grad():
        chosen = tuple(agent.actor(seen, True) for seen in
                       (batch.observations, batch.next_observations))  # fmt: skip
    (better, _), (dearer, _) = wsac.critic_terms(agent, batch, chosen, "squared")
    descend(agent.critic.optimizer, better)
    descend(agent.cost_critic.optimizer, -2 * dearer)
    (after, _), (dear, _) = wsac.critic_terms(agent, batch, chosen, "squared")
    assert after < better
    assert dear > dearer


def test_regularisers_by_hand() -> None:
    errors = torch.tensor([3.0, -1.0, -4.0, 0.0])
    assert regularised(errors, "squared") == 26 / 4
    assert regularised(errors, "wapprox") == 5 / 4


def test_ranks_by_hand() -> None:
    """(0, 1, 2, 3) against (0, 2, 1, 3): 1 - 6 * 2 / 60 = 4/5; of equal values the mean rank."""
    assert ranked(np.arange(4.0), np.array([0.0, 2, 1, 3])).correlation == pytest.approx(4 / 5)
    assert ranked(np.arange(4.0), np.array([1.0, 1, 1, 2])).correlation == pytest.approx(0.6**0.5)
    assert np.isnan(ranked(np.arange(4.0), np.ones(4)).correlation)


def test_the_limit_spread_over_an_episode() -> None:
    """Of 2 steps with discount 1/2: a cost of 4 is 2 a step, and 2 + 1 discounted."""
    assert spread_limit(4.0, 0.5, 2) == 3.0
    assert spread_limit(4.0, 1.0, 2) == 4.0


@cache
def _aligning() -> Marvel:
    torch.manual_seed(0)
    return Marvel(_training(MARVEL))


def test_adaptive_gains_move_within_their_boxes_and_are_kept() -> None:
    """By hand: an excess of a limit multiplies K_P by 1 + tanh(1)/10, K_I by 1.1 and K_D by 1.1;
    without adaptivity all stay, and no gain exceeds four times its first."""
    machine = ADAPTIVE.state_machine()
    first = machine.step(machine.first(), 2 * ADAPTIVE.limit)
    gains = 0.05 * (1 + math.tanh(1) / 10), 0.005 * 1.1, 0.01 * 1.1
    assert first.stored == pytest.approx(gains)
    integral = 50 + gains[1] * 8
    assert first.multiplier == pytest.approx(gains[0] * 8 + integral + gains[2] * 8)
    still = replace(ADAPTIVE, adaptivity=0.0).state_machine()
    assert still.step(still.first(), 16.0).stored == (0.05, 0.005, 0.01)
    state = first
    for _ in range(100):
        state = machine.step(state, 100.0)
    assert state.stored[:2] == (0.2, 0.02)
    one = Marvel(_training(ADAPTIVE))
    one.agent.state = state
    tensors = one.tensors()
    one.agent.state = machine.first()
    one.restore(tensors)
    assert one.agent.state == state


def test_alignment_leaves_the_actor_bit_for_bit() -> None:
    state = _aligning()
    before = {name: one.clone() for name, one in state.agent.policy.state_dict().items()}
    for _ in range(3):
        state.align(state.agent.replay_buffer.sample(32))
    after = state.agent.policy.state_dict()
    moved = {name.partition(".")[0] for name, one in after.items() if not one.equal(before[name])}
    assert moved == {"critic", "critic_target"}


def test_the_actor_is_pulled_by_both_critics() -> None:
    """With a huge multiplier its loss is that of costs, with none that of rewards."""
    agent = _aligning().agent
    batch, losses = agent.replay_buffer.sample(32), {}
    zero = torch.zeros(32)
    for multiplier in (0.0, 1.0, 1e9):
        agent.state = ControllerState(multiplier)
        losses[multiplier] = agent.actor_loss(batch, batch.actions, zero).item()
    with torch.no_grad():
        worth = torch.cat(agent.critic(batch.observations, batch.actions), 1).amin(1).mean().item()
        dear = torch.cat(agent.cost_critic(batch.observations, batch.actions), 1).amax(1).mean()
    assert losses[0.0] == pytest.approx(-worth)
    assert losses[1.0] == pytest.approx((dear.item() - worth) / 2)
    assert losses[1e9] == pytest.approx(dear.item(), rel=1e-4)


@pytest.mark.parametrize(
    ("record", "changes", "message"),
    [
        (WSAC, {"steps": 150}, "steps = 150; give a multiple of 100"),
        (WSAC, {"regulariser": "square"}, "regulariser = 'square'; give one of squared, wapprox"),
        (WSAC, {"penalty": -1.0}, "penalty = -1.0; give 0 or more"),
        (WSAC, {"steps": 0, "beta": 5.0}, "beta = 5.0 has no effect with steps = 0"),
        (WSAC, {"follow": 2.0}, "follow = 2.0 must lie from 0 to 1"),
        (MARVEL, {"follow": 2.0}, "follow = 2.0 must lie from 0 to 1"),
        (MARVEL, {"multiplier": -1.0}, "multiplier = -1.0; give 0 or more"),
        (MARVEL, {"controller": "apid"}, "controller = 'apid'; give one of fixed, ascent, pid, ad"),
        (MARVEL, {"adaptivity": 0.2}, "adaptivity = 0.2 has no effect"),
        (ADAPTIVE, {"adaptivity": -1.0}, "adaptivity = -1.0; give 0 or more"),
        (ADAPTIVE, {"ascent_rate": 0.5}, "ascent_rate = 0.5 has no effect"),
        (MARVEL, {"cost_bonus": 0.5}, "cost_bonus = 0.5 is above bonus = 0.05"),
        (MARVEL, {"alignment_steps": 0, "bonus": 0.1}, "bonus = 0.1 has no effect"),
        (MARVEL, {"limit": 0.0}, "limit = 0.0 must be positive"),
        (MARVEL, {"proportional": 1.0}, "proportional = 1.0 has no effect"),
    ],
)
def test_what_means_nothing_is_refused(record: Any, changes: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        replace(record, **changes)


def test_data_of_another_task_are_refused(tmp_path: Path) -> None:
    behaviour(circle.TASK, 1, 0).write(tmp_path / "circle.hdf5")
    options = replace(WSAC, data=str(tmp_path / "circle.hdf5"), episodes=240)
    with pytest.raises(ModelError, match="observations are of shape"):
        wsac.ALGORITHM.check(Training("offline/wsac", "SafetyBallRun-v0", 0, options))
    marvel.ALGORITHM.check(_training(MARVEL))


@pytest.mark.slow
@pytest.mark.parametrize("options", [WSAC, MARVEL, ADAPTIVE], ids=["wsac", "marvel", "adaptive"])
def test_a_run_that_was_killed_goes_on_bit_by_bit(options: Any, tmp_path: Path) -> None:
    training, last = _training(options), 2 if options is WSAC else 3
    whole = obtain(training, folder=tmp_path / "whole")

    def kill(update: int, updates: int, line: Any) -> None:
        if update == last:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain(training, folder=tmp_path / "killed", progress=kill)
    resumed = obtain(training, folder=tmp_path / "killed")
    for name in ("metrics.jsonl", "policy.safetensors", "policy.json"):
        assert (whole.folder / name).read_bytes() == (resumed.folder / name).read_bytes()
    assert find(training.algorithm).load(whole).lines == whole.metrics()


@pytest.mark.slow
def test_a_multiplier_that_comes_down_keeps_its_speed_limit(tmp_path: Path) -> None:
    """Costs are halves, so that 50 + (J - 8) / 64 is exact."""
    lines = obtain(_training(MARVEL), folder=tmp_path).metrics()[-2:]
    expected = 50.0
    for k, line in enumerate(lines, start=1):
        expected += (line["cost"] - 8) / 64
        assert line["multiplier"] == expected >= 50 - k * 8 / 64


def test_a_network_that_is_not_finite_is_no_internal_error(tmp_path: Path) -> None:
    """A weight beyond single precision makes laws of NaN, which torch refuses with a ValueError."""
    options = replace(WSAC, penalty=1e300)
    with pytest.raises(TrainingError, match="give a smaller learning rate, or smaller weights"):
        obtain(_training(options), folder=tmp_path)
