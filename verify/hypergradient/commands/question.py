"""What ``holdfast hypergradient`` was asked: its options, the leader and its parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import click
import numpy as np

from holdfast.solvers import ModelError
from holdfast.solvers.hypergradient import (
    Leader,
    SoftmaxPolicy,
    bilevel_from_cmdp,
    check_differentiable,
    discrete_toy4,
    four_rooms,
    game_leader,
    reward_penalty,
)
from holdfast.solvers.hypergradient.adjoint import checked_parameters
from holdfast.solvers.hypergradient.environments import FOUR_ROOMS
from holdfast.solvers.hypergradient.estimators.ascent import Sampler
from holdfast.solvers.hypergradient.estimators.estimate import METHODS
from holdfast.solvers.models.formats.numpy_files import read_array
from holdfast.solvers.sequences import Array

from ...cmdp.named_models import named_function, read_model
from ...terminal.options import refuse_idle

OWN = "own"
BUILT_IN = {"four-rooms": 0.001, "toy4": 0.05, "toy4-2": 0.05}
"""Bilevel problems by name -> the temperature that is published with them."""
_CUT = 1e-4
"""What is left of a discounted sum after the default horizon: below the noise of any estimate."""
_LONGEST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line of ``hypergradient`` says."""

    model: str
    leader: str
    temperature: float | None
    costs: tuple[str, ...]
    discount: str | None
    leader_discount: float | None
    amount: float
    at: str | None
    methods: tuple[str, ...]
    critic: str | None
    episodes: int
    horizon: int | None
    iterations: int | None
    steps: int
    learning_rate: float
    seed: int
    whole: bool
    json_path: str | None
    plot: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """The leader, where to differentiate (float64[d]), a name for each parameter, the game's state
    of each follower's state where it is a game, points of the plane for parameters that are
    amounts by state, and steps after which episodes are cut."""

    options: Options
    leader: Leader
    parameters: Array
    names: list[str]
    groups: Array | None
    points: list[tuple[float, ...]]
    horizon: int

    def sampler(self, method: str, **size: int) -> Sampler:
        """Estimates of a method, with the critic that was asked for."""
        critic = self.options.critic or ("exact" if METHODS[method].critic == "sarsa" else None)
        return Sampler(leader=self.leader, seed=self.options.seed, horizon=self.horizon,
                       method=method, critic=critic, groups=self.groups, **size)  # fmt: skip


def read_question(options: Options) -> Question:
    """Raises ModelError or click.BadParameter with what to change."""
    if options.model in BUILT_IN:
        leader, names, groups, points = _built_in(options)
    else:
        leader, names, points = _of_model(options)
        groups = None
    if ":" in options.leader:
        leader = _of_user(options.leader, leader)
        names, groups, points = [], None, []
    parameters = checked_parameters(leader, _start(options.at))
    if ":" in options.leader:
        check_differentiable(leader, parameters)
    if parameters.ndim != 1 or len(parameters) == 0:
        raise ModelError(f"the leader's parameters have shape {parameters.shape}; it needs a vector")
    if "bi-ac" in options.methods and groups is None:
        raise click.BadParameter("--method bi-ac is for games, whose leader acts, such as toy4")
    names = names or [str(k) for k in range(len(parameters))]
    model = leader.model(parameters)
    discount = max(model.leader_discount, model.follower_discount)
    horizon = options.horizon or max(1, min(_LONGEST, math.ceil(math.log(_CUT) / math.log(discount or 0.1))))
    return Question(options, leader, parameters, names, groups, points, horizon)


def _built_in(options: Options) -> tuple[Leader, list[str], Array | None, list[tuple[float, ...]]]:
    refuse_idle(["costs", "discount", "leader_discount", "amount"],
                f"has no effect with {options.model}, which is as it was published")  # fmt: skip
    if options.leader != OWN and ":" not in options.leader:
        raise click.BadParameter(f"--leader {options.leader} is for models without a leader; "
                                 f"{options.model} has its own")  # fmt: skip
    warmth = BUILT_IN[options.model] if options.temperature is None else options.temperature
    if options.model == "four-rooms":
        cells = [(i, j) for i, row in enumerate(FOUR_ROOMS) for j, at in enumerate(row) if at == " "]
        names = [f"cell {cell}" for cell in cells] + ["not spent"]
        return four_rooms(warmth), names, None, [(j, -i) for i, j in cells]
    game = discrete_toy4(1 if options.model == "toy4" else 2, temperature=warmth)
    names = [f"{state}, action {a}" for state in "SAB" for a in range(2)]
    leader = game_leader(game, SoftmaxPolicy(np.zeros((3, 2))))
    return leader, names, np.arange(6) // 2, []


def _of_model(options: Options) -> tuple[Leader, list[str], list[tuple[float, ...]]]:
    if options.temperature is None:
        raise click.BadParameter(
            f"{options.model} has no temperature; give --temperature, above 0: the price of the "
            "follower's log-probabilities, in units of its reward"
        )
    if options.leader == OWN:
        raise click.BadParameter(f"{options.model} has no leader of its own; give --leader rewards, "
                                 "--leader budget or --leader module:function")  # fmt: skip
    found = read_model(options.model, options.costs, ["1"] * len(options.costs), options.discount)
    if not found.n_constraints:
        raise click.BadParameter(f"{options.model} has no cost, so that nothing is known of what the "
                                 "leader wants; give --cost, what it wants to be rare")  # fmt: skip
    model = bilevel_from_cmdp(found, temperature=options.temperature,
                              leader_discount=options.leader_discount)  # fmt: skip
    if ":" in options.leader or options.leader == "rewards":
        refuse_idle(["amount"], "has no effect without --leader budget")
    size, width = model.n_states, model.n_actions
    acting = np.flatnonzero(~model.terminal)
    table = np.zeros((size, width, len(acting)))
    table[acting, :, np.arange(len(acting))] = 1
    budget = None if options.leader != "budget" else options.amount
    leader = reward_penalty(model, table.reshape(size * width, -1), budget=budget)
    names = [f"state {s}" for s in acting] + ["not spent"] * (budget is not None)
    points = [tuple(map(float, found.coordinates[s])) for s in acting] if found.coordinates else []
    return leader, names, points if points and len(points[0]) == 2 else []


def _of_user(name: str, leader: Leader) -> Leader:
    """What module:function makes of the model."""
    make: Callable[..., Leader] = named_function("--leader", name)
    try:
        made = make(leader.model(leader.parameters))
    except Exception as error:
        raise click.BadParameter(f"--leader {name}: {type(error).__name__}: {error}") from error
    if not isinstance(made, Leader):
        raise click.BadParameter(f"--leader {name} returned a {type(made).__name__}, which is not a "
                                 "leader; it needs parameters, model and pull_back")  # fmt: skip
    return made


def _start(path: str | None) -> Array | None:
    if path is None:
        return None
    try:
        return np.asarray(read_array(path), dtype=float)
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"--at {path} cannot be read: {error}") from error
