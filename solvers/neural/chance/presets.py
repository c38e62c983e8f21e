"""Options that suit a task, taken where nothing else is said; the one place to edit them.

What is given goes before them.  An option that goes with another, such as the step of a controller,
is left out where that one is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..parts.tasks import TASKS, episode_length, is_known
from ..parts.worlds.known import DISCS

Chosen = dict[str, Any]

_EXACT: Chosen = {
    "rollout": 30,
    "batch": 1920,
    "learning_rate": 2e-3,
    "cost_learning_rate": 2e-3,
    "gae": 0.9,
    "cost_gae": 0.9,
}
"""On the discs, where an update has one episode of 30 steps a copy, or two of 15.  Networks learn
fast from advantages that look few steps ahead, since the critics are good: most copies begin
anywhere (exploring).  There are 150 updates; more gain a little and cost as much time."""
_EXACT_PPO: Chosen = {
    "steps": 150 * 7680,
    "n_envs": 256,
    "exploring": 230,
    "epochs": 8,
    "entropy": 0.005,
    "last_rate": 0.05,
    "gradient_norm": 1000.0,
    "controller": "ascent",
    "multiplier": 80.0,
    "ascent_rate": 2.0,
}
"""The multiplier begins near what risk is worth on the discs, else all that is learnt first is to
ignore the risk.  Gradients are not scaled down: those of a critic of returns of 100 would take the
policy's with them, which has a network of its own and learns more slowly then."""
_EXACT_CPO: Chosen = {
    "steps": 200 * 3840,
    "n_envs": 128,
    "exploring": 64,
    "last_rate": 0.05,
    "target_kl": 0.03,
    "conjugate_steps": 10,
}
"""Half the copies, since a step costs three solutions with the curvature of all observations; half
of them measure the risk, which with fewer is too noisy to be kept.  A trust region three times the
usual: whole rollouts make good steps; it shrinks, since at the end the linearised cost must say
what a step does: the risk of the limit 0.1 ended near 0.14 without."""

_SIMULATED: Chosen = {
    "steps": 1_000_000,
    "n_envs": 8,
    "batch": 128,
    "learning_rate": 6e-4,
    "cost_learning_rate": 1e-3,
    "discount": 0.99,
    "cost_discount": 0.99,
    "gae": 0.95,
    "cost_gae": 0.95,
    "cost_epochs": 4,
    "cost_batch": 256,
}
"""On simulators: what stable-baselines3 takes for PPO, but for twice the batch with twice the step
of Adam, which learn as fast in half the time.  Copies are stepped in turns, so that more of them
gain little; the critic of costs costs little, so that an update is hardly slower than PPO's."""
_SIMULATED_PPO: Chosen = {"epochs": 10, "controller": "ascent"}
_PRICE: Chosen = {"multiplier": 150.0, "ascent_rate": 75.0}
"""On simulators that are known, whose discounted returns are some hundreds: what an unsafe episode
has to be worth, so that it is avoided.  A smaller price comes too late, a larger one leaves
policies timid for long."""
_SIMULATED_CPO: Chosen = {"target_kl": 0.01, "subsampling": 1}
LEAST_STEPS = 2048
"""Environment steps of an update on a simulator, at least, as in stable-baselines3: fewer measure
the risk too badly, more make updates rare."""
LEAST_EPISODES = 16
"""The same in episodes: the risk is measured to about 0.1 in each update."""


def ppo_lagrangian(task: str, given: Mapping[str, Any]) -> Chosen:
    """What suits the task beside the given options of PPO-Lagrangian; nothing for an unknown id."""
    simulated = {**_SIMULATED_PPO, **(_PRICE if task in TASKS else {})}
    chosen = _chosen(task, given, _EXACT_PPO, simulated)
    idle = set()
    if given.get("controller", "ascent") != "ascent":
        idle = {"multiplier", "ascent_rate"}
    elif task not in DISCS and given.get("limit") == 1:
        idle = {"multiplier"}  # a risk is never above that, so nothing has to be paid for it
    return {key: value for key, value in chosen.items() if key not in idle}


def cpo(task: str, given: Mapping[str, Any]) -> Chosen:
    """The same for CPO."""
    return _chosen(task, given, _EXACT_CPO, _SIMULATED_CPO)


def _chosen(task: str, given: Mapping[str, Any], exact: Chosen, simulated: Chosen) -> Chosen:
    if task in DISCS:
        chosen = {**_EXACT, **exact}
        if "n_envs" in given:
            del chosen["exploring"]  # it is so many of those copies
    elif is_known(task):
        chosen = {**_SIMULATED, **simulated}
        copies = _whole(given.get("n_envs")) or chosen["n_envs"]
        chosen["rollout"] = _whole_episodes(episode_length(task), copies)
    else:
        return {}
    copies, rollout = (_whole(given.get(key, chosen[key])) for key in ("n_envs", "rollout"))
    if copies and rollout:
        chosen["batch"] = _divisor(copies * rollout, chosen["batch"])
    return {key: value for key, value in chosen.items() if key not in given}


def _whole(value: Any) -> int | None:
    """The value if it can be meant as a number of things; others are refused with the options."""
    return value if type(value) is int and value > 0 else None


def _whole_episodes(length: int | None, copies: int) -> int:
    """Steps of each copy.  Where no length is known, an episode is taken for `LEAST_STEPS`."""
    once, episodes = length or LEAST_STEPS, LEAST_EPISODES if length else 1
    return once * max(-(-LEAST_STEPS // (once * copies)), -(-episodes // copies))


def _divisor(total: int, most: int) -> int:
    """The largest divisor that is at most this: a rollout must be whole batches."""
    return max(size for size in range(1, min(total, most) + 1) if total % size == 0)
