"""What ``holdfast offline`` is asked: a log, its ranges and budgets, and what is supported."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import click
import numpy as np

from holdfast.solvers import CMDP, Limits, ModelError, Policy
from holdfast.solvers.exact import to_fraction
from holdfast.solvers.models.formats.numpy_files import read_array
from holdfast.solvers.offline.guardians import counted, density, ellipsoid
from holdfast.solvers.offline.learned import Learned, Range, learned
from holdfast.solvers.offline.log_files import KNOWN, OPTIONAL, SUFFIXES, Columns, read_log
from holdfast.solvers.offline.logs import Log, bounded
from holdfast.solvers.offline.sepsis import expert_policy
from holdfast.solvers.offline.simulated import simulate
from holdfast.solvers.sequences import Array

from ...cmdp.named_models import rational, read_model

MODELS = (".json", ".npz", ".tra", ".drn")
"""Suffixes of models."""
GUARDIANS = ("count", "ellipsoid", "density")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says; budget: seconds."""

    data: str
    columns: tuple[str, ...]
    bins: int | None
    reward_range: tuple[str, str] | None
    return_range: tuple[str, str] | None
    cost_ranges: tuple[tuple[str, str], ...]
    n_states: int | None
    deterministic: tuple[str, ...]
    behaviour: str
    steps: int | None
    length: int
    guardian: str
    n0: int
    features: str | None
    left_out: float
    bandwidth: float
    exits: str
    delta: str
    costs: tuple[str, ...]
    limits: tuple[str, ...]
    discount: str | None
    reward: str | None
    budget: float | None
    seed: int
    whole: bool
    json_path: str | None
    plot: str | None


@dataclass(frozen=True)
class Question:
    """A log with what is known beside it.

    truth, behaviour: the model and the policy that made the log, if it was simulated; supported:
    bool[S, A]; n_states: how many there are.
    """

    options: Options
    log: Log
    truth: CMDP | None
    behaviour: Policy | None
    ranges: tuple[Range, ...]
    budgets: tuple[Fraction, ...]
    supported: Array
    failure: Fraction
    exits: Fraction
    n_states: int

    @property
    def limits(self) -> Limits:
        """On the time of each plan."""
        seconds = self.options.budget
        return Limits() if seconds is None else Limits(seconds=seconds)

    @property
    def fixed(self) -> list[int]:
        """The reward (0) and costs (from 1 on) that are functions of the pair: in a model all."""
        said = {"reward", "cost"} if self.truth is not None else {*self.options.deterministic}
        sizes = range(self.log.n_costs + 1)
        return [i for i in sizes if ("cost" if i else "reward") in said]

    def learned(self, supported: Array) -> Learned:
        """The model of some pairs."""
        return learned(self.log, supported, self.ranges, self.budgets, self.failure, self.n_states,
                       fixed=self.fixed)  # fmt: skip


def is_log(name: str) -> bool:
    """Whether this names a log, and no model."""
    path = Path(name)
    if name.startswith("gym:"):
        return False
    if path.suffix.lower() == ".npz" and path.is_file():
        held = _held(path)
        return any(held & {*KNOWN[what]} for what in ("state", "action", "next_state"))
    return path.is_dir() or path.name.lower().endswith((".csv", ".csv.gz", ".hdf5", ".h5"))


def _held(path: Path) -> set[str]:
    """Names of the arrays; none where the file is damaged, as whoever reads models says."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {one.removesuffix(".npy") for one in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError):
        return set()


def refuse_unknown(name: str) -> None:
    """Raises click.BadParameter for a file that is no log and cannot be a model."""
    path = Path(name)
    suffix = path.suffix.lower()
    none = suffix not in MODELS or (suffix == ".npz" and "format" not in _held(path))
    if path.is_file() and none:
        raise click.BadParameter(
            f"{name} is no log ({', '.join(SUFFIXES)}) and no model ({', '.join(MODELS)}); a log "
            f"needs the columns {', '.join(one for one in KNOWN if one not in OPTIONAL)}"
        )


def read_question(options: Options) -> Question:
    """Raises ModelError or click.BadParameter with what to change."""
    failure, exits = rational(options.delta, "--delta"), rational(options.exits, "--exits")
    if not 0 < failure < 1:
        raise click.BadParameter(
            f"--delta is {options.delta}; the probability of failure is above 0 and below 1"
        )
    if exits < 0:
        raise click.BadParameter(f"--exits is {options.exits}; a budget of time is at least 0")
    found = _logged(options) if is_log(options.data) else _simulated(options)
    log, truth, behaviour, ranges, budgets, n_states = found
    if options.return_range is not None:
        ranges = (_returning(options.return_range, log, ranges[0]), *ranges[1:])
    supported = _supported(options, log)
    return Question(options, log, truth, behaviour, ranges, budgets, supported, failure, exits,
                    n_states)  # fmt: skip


_Found = tuple[
    Log, CMDP | None, Policy | None, tuple[Range, ...], tuple[Fraction, ...], int
]  # fmt: skip


def _logged(options: Options) -> _Found:
    discount = Fraction(99, 100)
    if options.discount is not None:
        discount = rational(options.discount, "--discount")
    log = read_log(options.data, discount, _columns(options))
    budgets = tuple(rational(text, "--limit") for text in options.limits)
    if len(budgets) != log.n_costs:
        raise click.BadParameter(
            f"{log.name} has {log.n_costs} costs and {len(budgets)} limits are given; give one "
            "--limit for each cost, of its discounted sum"
        )
    given = [options.reward_range, *options.cost_ranges]
    if options.cost_ranges and len(options.cost_ranges) != log.n_costs:
        raise click.BadParameter(
            f"{len(options.cost_ranges)} ranges of costs and {log.n_costs} costs; give one "
            "--cost-range for each, or none"
        )
    given += [None] * (log.n_costs + 1 - len(given))
    ranges = tuple(
        Range.of(*(log.range(i) if one is None else _range(one)), discount)
        for i, one in enumerate(given)
    )
    return log, None, None, ranges, budgets, options.n_states or len(log.states)


def _columns(options: Options) -> Columns:
    names: dict[str, str] = {}
    costs = []
    for text in options.columns:
        what, sign, name = text.partition("=")
        if not sign or what not in KNOWN or not name:
            raise click.BadParameter(
                f"--column {text}: write WHAT=NAME, with WHAT one of {', '.join(KNOWN)}"
            )
        if what == "cost":
            costs.append(name)
        elif what in names:
            raise click.BadParameter(f"--column {what} is given twice; give it once")
        else:
            names[what] = name
    return Columns(names, tuple(costs), options.bins)


def _range(texts: tuple[str, str]) -> tuple[Fraction, Fraction]:
    low, high = (rational(text, "a range") for text in texts)
    bounded("an end of a range", low, high)
    if low > high:
        raise click.BadParameter(f"a range is from {low} to {high}; give the lower end first")
    return low, high


def _returning(texts: tuple[str, str], log: Log, known: Range) -> Range:
    """The range of the reward with another one of returns; those of the log must not leave it."""
    low, high = _range(texts)
    first = log.returns[:, 0]
    if float(low) - 1e-9 > first.min() or first.max() > float(high) + 1e-9:
        raise click.BadParameter(
            f"--return-range is from {low} to {high}, and returns of {log.name} are from "
            f"{first.min():g} to {first.max():g}; widen it"
        )
    return Range(known.step, (low, high))


def _simulated(options: Options) -> _Found:
    if options.steps is None:
        raise click.BadParameter(
            f"{options.data} is no log; for a model give --steps, of a log to be simulated in it"
        )
    model = read_model(
        options.data, options.costs, options.limits, options.discount, options.reward
    )
    if not model.n_constraints:
        raise click.BadParameter(
            f"{options.data} has no costs, and without costs nothing can be kept safe; give --cost "
            "and --limit"
        )
    acting = _behaviour(options, model)
    log = simulate(model, acting, options.steps, length=options.length, seed=options.seed)
    functions = [model.reward_vector(), *map(model.cost_vector, range(model.n_constraints))]
    ends = [(min(one.fractions()), max(one.fractions())) for one in functions]
    ranges = tuple(Range.of(low, high, model.discount) for low, high in ends)
    return log, model, acting, ranges, model.budgets, model.n_states


def _behaviour(options: Options, model: CMDP) -> Policy:
    if options.behaviour == "uniform":
        return Policy.uniform(model)
    if options.behaviour == "expert":
        if options.data != "icu-sepsis":
            raise click.BadParameter(
                f"--behaviour expert is of icu-sepsis, and the model is {options.data}; give "
                "uniform or a .npy file"
            )
        return expert_policy(model)
    table = _array("--behaviour", options.behaviour)
    shape = model.n_states, int(model.actions.max()) + 1
    if table.shape != shape:
        raise click.BadParameter(
            f"--behaviour {options.behaviour} is of shape {table.shape}; the model needs {shape}, "
            "a probability for each state and action"
        )
    taken = table[model.choice_states, model.actions].astype(float)
    sums = np.bincount(model.choice_states, taken, model.n_states)
    lost = np.flatnonzero(~(np.abs(sums - 1) < 1e-9) | (np.bincount(
        model.choice_states, taken < 0, model.n_states) > 0))  # fmt: skip
    if lost.size:
        raise click.BadParameter(
            f"--behaviour {options.behaviour}: the probabilities of the actions of state {lost[0]} "
            f"sum to {sums[lost[0]]:g}, or some are below 0; they must be a law"
        )
    weights = [to_fraction(float(p), "a probability") for p in taken]
    totals = [Fraction(0)] * model.n_states
    for s, w in zip(model.choice_states.tolist(), weights, strict=True):
        totals[s] += w
    pairs = zip(model.choice_states.tolist(), weights, strict=True)
    return Policy.of(model, [w / totals[s] for s, w in pairs])


def _array(option: str, path: str) -> Array:
    try:
        return read_array(path)
    except OSError as error:
        raise click.BadParameter(
            f"{option} {path} cannot be read: {error.strerror or error}; give a .npy file"
        ) from error


def _supported(options: Options, log: Log) -> Array:
    if options.guardian == "count":
        return counted(log, options.n0)
    if options.features is None:
        raise ModelError(
            f"--guardian {options.guardian} looks at features of pairs; give --features, a .npy "
            f"file of shape [{len(log.states)}, {len(log.actions)}, p] for this log, in the order "
            "of its codes"
        )
    features = _array("--features", options.features)
    if features.dtype.kind not in "iuf":
        raise ModelError(f"--features holds {features.dtype}; give plain numbers")
    found = features.astype(float)
    if options.guardian == "ellipsoid":
        return ellipsoid(log, found, options.left_out)
    return density(log, found, options.left_out, options.bandwidth)
