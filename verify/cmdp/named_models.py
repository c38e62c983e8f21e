"""Models as a person names them: a file, ``gym:ID``, or the name of a world."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import click

from holdfast.solvers import CMDP, WORLDS, ModelError, from_gymnasium, load, read_prism
from holdfast.solvers.exact import to_fraction
from holdfast.solvers.models.formats.numpy_files import read_array
from holdfast.solvers.models.formats.prism import read_drn
from holdfast.solvers.strict import strict_json

from ..report.numbers import count
from ..terminal.options import Command

MODEL_HELP = (
    "MODEL is a .json, .npz, PRISM or Storm .tra, or Storm .drn file, gym:ID "
    "(gym:FrozenLake-v1?map_name=8x8 passes arguments on, gym:module:ID imports a module of yours "
    "first), or one of the worlds: " + ", ".join(WORLDS) + "."
)
COST_HELP = (
    "A cost: states:5,7,12 (1 on arriving in one of them), step (1 for each step), a .npy file of "
    "shape [S] or [S, A] (charged at each decision; a state where an episode ends has no decision, "
    "so its cost is charged on arrival, one step earlier by the discount), or module:function with "
    "function(state, action, next_state); for a .tra model, a .srew or .trew file (default "
    "MODEL.cost1.srew and .trew, ...); for a .drn model, one of its reward models."
)


discount_option = click.option(
    "--discount", help="Discount factor gamma; default the model's own, 99/100 for gym: models."
)


def model_options(command: Command) -> Command:
    """``--cost``, ``--limit``, ``--discount`` and ``--reward``: what describes a model beside its
    name."""
    for option in (
        click.option("--reward",
                     help="Of a .tra or .drn model, the reward structure that is the objective: a "
                     "file, or its name."),
        discount_option,
        click.option("--limit", "limits", multiple=True,
                     help="Upper bound of each discounted cost, in the order of the costs."),
        click.option("--cost", "costs", multiple=True, help=COST_HELP),
    ):  # fmt: skip
        command = option(command)
    return command


def rational(text: str, what: str) -> Fraction:
    """``3/4``, ``0.75`` or ``2`` as an exact rational; raises click.BadParameter."""
    if "0x" in text.lower():
        raise click.BadParameter(f"{what} is {text[:40]!r}; write decimals and fractions only")
    try:
        return to_fraction(text, what)
    except ValueError as error:
        raise click.BadParameter(f"write a rational number such as 3/4 or 0.75: {error}") from error


def states(text: str) -> tuple[int, ...]:
    """``5,7,12`` as states; raises ValueError for anything but digits and commas."""
    if not re.fullmatch("[0-9]{1,18}(,[0-9]{1,18})*", text):
        raise ValueError(f"{text!r} is not a list of states")
    return tuple(map(int, text.split(",")))


def read_model(
    name: str,
    costs: Sequence[str],
    limits: Sequence[str],
    discount: str | None,
    reward: str | None = None,
) -> CMDP:
    """The model of that name, with costs, their limits and discount replaced where given.

    reward: of a .tra or .drn file, which structure is the objective.

    Raises ModelError or click.BadParameter with what to change.
    """
    budgets = [rational(limit, "a limit") for limit in limits]
    factor = None if discount is None else rational(discount, "the discount")
    if name.endswith(".tra"):
        return read_prism(
            name, rewards=reward, costs=list(costs) or None, budgets=budgets, discount=factor
        )
    if name.endswith(".drn"):
        if factor is None:
            raise click.BadParameter(f"{name} holds no discount; give one with --discount")
        return read_drn(name, reward=reward, costs=costs, budgets=budgets, discount=factor)
    if reward is not None:
        raise click.BadParameter(f"--reward goes with .tra and .drn files; {name} has one reward")
    if name.startswith("gym:"):
        return _environment(name[4:], costs, budgets, factor)
    if costs:
        raise click.BadParameter(f"--cost goes with gym: models; {name} brings its own costs")
    model = _world_or_file(name)
    model = model if factor is None else model.with_discount(factor)
    if budgets and len(budgets) != model.n_constraints:
        raise click.BadParameter(
            f"{name} has {count(model.n_constraints, 'cost')} and {count(len(budgets), 'limit')} "
            "given; give one --limit for each cost, in order"
        )
    return model.with_budgets(*budgets) if budgets else model


def _world_or_file(name: str) -> CMDP:
    if name in WORLDS:
        return WORLDS[name].build()
    if Path(name).exists():
        return load(name)
    raise click.BadParameter(f"no model {name!r}: no such file, and no such world. {MODEL_HELP}")


def _environment(
    name: str, costs: Sequence[str], budgets: list[Fraction], discount: Fraction | None
) -> CMDP:
    if len(costs) != len(budgets):
        raise click.BadParameter(
            f"{len(costs)} costs and {len(budgets)} limits; give each --cost a --limit of its own"
        )
    identifier, _, query = name.partition("?")
    charged = [_cost(text) for text in costs]
    with _this_folder():
        return from_gymnasium(
            identifier,
            costs=charged,
            budgets=budgets,
            discount=Fraction(99, 100) if discount is None else discount,
            make_kwargs=_arguments(query),
        )


def _arguments(query: str) -> dict[str, Any]:
    """``key=value&...`` for ``gymnasium.make``: numbers, lists, true and false as in JSON."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise click.BadParameter(f"?{query} is not key=value, with & between several") from error
    found = {key: _literal(key, value) for key, value in pairs}
    if len(found) < len(pairs):
        raise click.BadParameter(f"?{query} gives an argument twice; give it once")
    return found


def _literal(key: str, text: str) -> Any:
    if text in ("True", "False"):
        return text == "True"
    try:
        return strict_json(text, read_float=float)
    except ModelError as error:
        if re.match(r"[\[{\"]|[-+.0-9eE]*[0-9][-+.0-9eE]*$", text):
            raise click.BadParameter(
                f"?{key}={text} is not JSON ({error}); write a number such as 0.8, a list such "
                'as ["SFF","FHF"], or a word'
            ) from error
        return text


def _cost(text: str) -> Any:
    kind, colon, rest = text.partition(":")
    if text == "step":
        return lambda _state, _action, _following: 1
    if kind == "states" and colon:
        try:
            return set(states(rest))
        except ValueError as error:
            raise click.BadParameter(f"--cost {text!r}: write states:5,7,12") from error
    if text.endswith(".npy"):
        try:
            return read_array(text)
        except (OSError, ValueError) as error:
            raise click.BadParameter(f"--cost {text!r} cannot be read: {error}") from error
    if colon:
        return named_function("--cost", text)
    raise click.BadParameter(f"--cost {text!r} is none of these. {COST_HELP}")


def named_function(option: str, text: str) -> Any:
    """What ``module:function`` names, maybe in this folder; raises click.BadParameter."""
    module, _, name = text.partition(":")
    try:
        with _this_folder():
            return getattr(importlib.import_module(module), name)
    except Exception as error:
        raise click.BadParameter(f"{option} {text}: {type(error).__name__}: {error}") from error


@contextmanager
def _this_folder() -> Iterator[None]:
    """Modules of the current folder can be imported, which the user names and may have written."""
    sys.path.insert(0, "")
    try:
        yield
    finally:
        sys.path.remove("")
