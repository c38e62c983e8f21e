"""What ``holdfast hypergradient`` was asked: its options, the leader and its parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from holdfast.solvers import WORLDS, ModelError
from holdfast.solvers.hypergradient import (
    Leader,
    SoftmaxPolicy,
    bilevel_from_cmdp,
    check_differentiable,
    discrete_toy4,
    four_rooms,
    game_leader,
    hypergradient,
    open_spiel_game,
    reward_penalty,
)
from holdfast.solvers.hypergradient.environments import FOUR_ROOMS
from holdfast.solvers.hypergradient.estimators.ascent import Sampler
from holdfast.solvers.hypergradient.estimators.estimate import METHODS
from holdfast.solvers.hypergradient.models import checked_parameters
from holdfast.solvers.models.formats.numpy_files import read_array
from holdfast.solvers.sequences import Array

from ...cmdp.named_models import MODEL_HELP, rational, read_model
from ...terminal.options import refuse_idle
from .user_leaders import user_leader

OWN, GAME = "own", "open-spiel:"
BUILT_IN = {"four-rooms": 0.001, "toy4": 0.05, "toy4-2": 0.05}
"""Bilevel problems by name -> the temperature that is published with them."""
_CUT = 1e-4
"""What is left of a discounted sum after the default horizon: below the noise of any estimate."""
_GAMES_DISCOUNT = 0.9
"""Of games, which have none of their own."""
_LONGEST = 100_000
"""Steps of that horizon at most: longer ones, for discounts near 1, would fill the memory."""


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
    """The leader, and where to differentiate.

    Attributes:
        parameters: float64[d]; names: one for each.
        points: in the plane, of parameters that are amounts by state; or none.
        horizon: steps after which episodes are cut.
    """

    options: Options
    leader: Leader
    parameters: Array
    names: list[str]
    points: list[tuple[float, ...]]
    horizon: int

    def sampler(self, method: str, **size: int) -> Sampler:
        """Estimates of a method, with the critic that was asked for."""
        critic = self.options.critic or ("exact" if METHODS[method].critic == "sarsa" else None)
        return Sampler(leader=self.leader, seed=self.options.seed, horizon=self.horizon,
                       method=method, critic=critic, **size)  # fmt: skip


Named = tuple[Leader, list[str], list[tuple[float, ...]]]
"""A leader with the names and points of a `Question`."""


def read_question(options: Options) -> Question:
    """Raises ModelError or click.BadParameter with what to change."""
    read = _built_in if options.model in BUILT_IN else _of_model
    leader, names, points = (_of_game if options.model.startswith(GAME) else read)(options)
    if ":" in options.leader:
        leader = user_leader(options.leader, leader.model(leader.parameters))
        parameters = _faults_named(options.leader, leader, options)
        names, points = [str(k) for k in range(parameters.size)], []
    else:
        parameters = _start(options, leader)
    if "bi-ac" in options.methods and getattr(leader, "groups", None) is None:
        raise click.BadParameter("--method bi-ac is for games, whose leader acts, such as toy4")
    model = leader.model(parameters)
    discount = max(model.leader_discount, model.follower_discount, 0.1)
    enough = min(_LONGEST, math.ceil(math.log(_CUT) / math.log(discount)))
    return Question(options, leader, parameters, names, points, options.horizon or enough)


def _built_in(options: Options) -> Named:
    refuse_idle(["costs", "discount", "leader_discount", "amount"],
                f"has no effect with {options.model}, which is as it was published")  # fmt: skip
    if options.leader != OWN and ":" not in options.leader:
        raise click.BadParameter(
            f"--leader {options.leader} is for models without a leader; {options.model} has its own"
        )
    warmth = options.temperature or BUILT_IN[options.model]
    if options.model == "four-rooms":
        cells = [
            (i, j) for i, row in enumerate(FOUR_ROOMS) for j, at in enumerate(row) if at == " "
        ]
        names = [f"cell {cell}" for cell in cells] + ["not spent"]
        return four_rooms(warmth), names, [(j, -i) for i, j in cells]
    game = discrete_toy4(1 if options.model == "toy4" else 2, temperature=warmth)
    names = [f"{state}, action {a}" for state in "SAB" for a in range(2)]
    return game_leader(game, SoftmaxPolicy(np.zeros((3, 2)))), names, []


def _of_game(options: Options) -> Named:
    name = options.model
    refuse_idle(["costs", "amount"], f"has no effect with {name}, whose payoffs say what is wanted")
    if options.leader != OWN and ":" not in options.leader:
        raise click.BadParameter(f"--leader {options.leader} is for models without a leader; that "
                                 f"of {name} is its first player")  # fmt: skip
    factor = options.discount
    discount = _GAMES_DISCOUNT if factor is None else float(rational(factor, "the discount"))
    game, states = open_spiel_game(
        name.removeprefix(GAME), temperature=_temperature(options), follower_discount=discount,
        leader_discount=discount if options.leader_discount is None else options.leader_discount,
    )  # fmt: skip
    size, width, _ = game.shape
    names = [f"{'|'.join(each.split())}, action {a}" for each in states for a in range(width)]
    policy = SoftmaxPolicy(np.zeros((size, width)))
    return game_leader(game, policy, follower="simultaneous"), names, []


def _temperature(options: Options) -> float:
    if options.temperature is None:
        raise click.BadParameter(
            f"{options.model} has no temperature; give --temperature, the price of the follower's "
            "log-probabilities in units of its reward"
        )
    return options.temperature


def _of_model(options: Options) -> Named:
    name, kind = options.model, options.leader
    if not (name in WORLDS or name.startswith("gym:") or Path(name).exists()):
        raise click.BadParameter(
            f"no model {name!r}: no such file, no such world, and no bilevel problem as published, "
            f"which are {', '.join(BUILT_IN)}. {MODEL_HELP}"
        )
    found = read_model(name, options.costs, ["1"] * len(options.costs), options.discount)
    if ":" not in kind and kind not in ("rewards", "budget"):
        missing = "no leader of its own" if kind == OWN else f"no leader named {kind}"
        raise click.BadParameter(f"{name} has {missing}; give --leader rewards, budget or "
                                 "module:function")  # fmt: skip
    if kind != "budget":
        refuse_idle(["amount"], "has no effect without --leader budget")
    elif not options.amount:
        raise click.BadParameter("--amount 0 leaves nothing to spread; give a number above or "
                                 "below 0")  # fmt: skip
    warmth = _temperature(options)
    if not found.n_constraints:
        raise click.BadParameter(f"{name} has no cost, so that nothing is known of what the leader "
                                 "wants; give --cost, what it wants to be rare")  # fmt: skip
    model = bilevel_from_cmdp(found, temperature=warmth,
                              leader_discount=options.leader_discount)  # fmt: skip
    size, width, acting = model.n_states, model.n_actions, np.flatnonzero(~model.terminal)
    table = np.zeros((size, width, len(acting)))
    table[acting, :, np.arange(len(acting))] = 1
    leader = reward_penalty(model, table.reshape(size * width, -1),
                            budget=options.amount if kind == "budget" else None)  # fmt: skip
    names = [f"state {s}" for s in acting] + ["not spent"] * (kind == "budget")
    points = [tuple(map(float, found.coordinates[s])) for s in acting if found.coordinates]
    return leader, names, [point for point in points if len(point) == 2]


def _start(options: Options, leader: Leader) -> Array:
    """The leader's own parameters, or those of ``--at``."""
    path, own = options.at, checked_parameters(leader)
    if path is None:
        return own
    remedy = (
        "give a .npy file that numpy.save has written, of one real number for each of the "
        f"leader's {own.size} parameters"
    )
    try:
        given = read_array(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise click.BadParameter(f"--at {path} cannot be read: {why}; {remedy}") from error
    try:
        return checked_parameters(leader, given)
    except ModelError as error:
        raise click.BadParameter(f"--at {path}: {error}. Instead, {remedy}") from error


def _faults_named(name: str, leader: Leader, options: Options) -> Array:
    """The start of a leader of the user's, once it is seen to be one."""
    try:
        checked_parameters(leader)
        at = _start(options, leader)
        check_differentiable(leader, at)
        hypergradient(leader, at, bounds=False)
    except ModelError as error:
        raise click.BadParameter(f"--leader {name}: {error}") from error
    return at
