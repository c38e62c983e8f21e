"""A decision transformer whose target is tuned within a limit on costs: all of PLS, in one run.

Wachi et al. 2025 (arXiv:2505.21852): train on data, tune the target with a safe tuner that believes
in a Gaussian process of costs, use the target that it recommends.  Beside it stand the unsafe
tuner of the same beliefs, and online fine-tuning with as many episodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ...target_returns.gaussian.kernels import FAMILIES, Kernel
from ...target_returns.tuning.problem import Surface, Tuning
from ...target_returns.tuning.tuner import Tuner
from ..parts.algorithms import Algorithm
from ..parts.constrained import refuse_idle, require_positive
from ..parts.runs import obtain
from ..parts.task_data import data_of, source
from ..parts.training import Training, option
from . import decision_transformer
from .decision_transformer import DecisionTransformerOptions

if TYPE_CHECKING:
    from ...offline.data_sets import DataSet
    from ..parts.runs import Run, Workplace
    from .policy import TrainedTransformer

NAME = "target_returns/safe-tuning"
IDLE = (
    "failure kernel length prior_mean prior_deviation cost_noise return_noise return_targets "
    "cost_targets"
)
"""Options that have no effect with method = "fine-tuning"."""
METHODS = ("pls", "stageopt", "safeopt", "goose", "ucb", "fine-tuning")
_LOWEST, _CALM = 0.02, 0.1
"""Quantile of the data's returns at which the grid begins: below it little is earned.  Share of
episodes, those of least cost, whose timid ones give the seed."""


@dataclass(frozen=True)
class SafeTuningOptions(DecisionTransformerOptions):
    """Options of the decision transformer and of the tuning of its target."""

    limit: float = option(20.0, "b, what the expected cost of an episode may be at most")
    method: str = option("pls", f"{', '.join(METHODS)}; the last two are not safe")
    evaluations: int = option(40, "targets that are evaluated at most")
    rollouts: int = option(4, "episodes that an evaluation averages")
    failure: float = option(0.1, "Delta, the probability with which the promise may fail")
    kernel: str = option("matern52", "of both surfaces; smoother ones (rbf) trust themselves more")
    length: float = option(0.5, "of the kernel, in extents of the grid")
    prior_mean: float = option(2.0, "of the cost before any evaluation, in limits")
    prior_deviation: float = option(1.0, "of the cost before any evaluation, in limits")
    cost_noise: float = option(4.0, "standard deviation of the cost of an episode at a target")
    return_noise: float = option(20.0, "the same of the return")
    return_targets: int = option(20, "returns of the grid")
    cost_targets: int = option(8, "costs of the grid")
    drawn: bool = option(False, "actions are drawn, not means: smoother in the target, noisier")
    fresh: int = option(48, "fresh episodes of each policy that is compared in the end")

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive(self, "limit evaluations rollouts length prior_mean prior_deviation")
        require_positive(self, "cost_noise return_noise return_targets cost_targets")
        for name, known in (("method", METHODS), ("kernel", tuple(FAMILIES))):
            if (value := getattr(self, name)) not in known:
                raise ModelError(f"{name} = {value!r}; give one of {', '.join(known)}")
        if self.method == "fine-tuning":
            refuse_idle(self, IDLE, "method = 'fine-tuning'")
        for name in ("return_targets", "cost_targets"):
            if getattr(self, name) < 2:
                raise ModelError(
                    f"{name} = {getattr(self, name)} makes no grid; give at least 2, for its ends"
                )
        if self.fresh < 2 or not 0 < self.failure < 1:
            raise ModelError(
                f"fresh = {self.fresh} must be at least 2, failure = {self.failure} lie strictly "
                "between 0 and 1; give such as 48 and 0.1"
            )

    @property
    def updates(self) -> int:
        """One an evaluation."""
        return self.evaluations


@dataclass(frozen=True, eq=False)
class TunedTarget:
    """What came of a run.

    Attributes:
        limit, method, stopped: of the tuning; the last says why it ended.
        told: float64[n, 4], of each evaluation the return and the cost that were asked for, and the
            mean return and cost of its episodes.
        targets: name -> (return, cost), of the policies that are compared.
        fresh: name -> float64[E, 2], returns and costs of fresh episodes of each.
    """

    limit: float
    method: str
    stopped: str
    told: Array
    targets: Mapping[str, tuple[float, float]]
    fresh: Mapping[str, Array]

    @property
    def unsafe(self) -> int:
        """Evaluations whose mean cost was above the limit."""
        return int((self.told[:, 3] > self.limit).sum())


def grid_of_targets(trained: TrainedTransformer | DataSet, options: SafeTuningOptions) -> Array:
    """float64[N, 2]: returns up to the greatest of the data, costs from 0 to twice the limit.

    Raises ModelError when there is no range of returns.
    """
    low, high = np.quantile(trained.returns[:, 0], [_LOWEST, 1])
    if low == high:
        raise ModelError(
            f"all episodes of the data return {high:g}, so that no target tells one from another; "
            "take data of episodes that differ in their returns"
        )
    gains = np.linspace(low, high, options.return_targets)
    costs = np.linspace(0, 2 * options.limit, options.cost_targets)
    return np.stack(np.meshgrid(gains, costs, indexing="ij"), axis=-1).reshape(-1, 2)


def plain_targets(
    trained: TrainedTransformer | DataSet, limit: float
) -> dict[str, tuple[float, float]]:
    """Targets that need no tuning: the limit as the cost, and two returns of the data.

    Raises ModelError when no episode of the data keeps the limit.
    """
    gains, costs = trained.returns.T
    if not (costs <= limit).any():
        raise ModelError(
            f"no episode of the data costs at most limit = {limit}, so that no target is known to "
            f"be safe; the least is {costs.min():g}, raise the limit"
        )
    best = float(gains[costs <= limit].max())
    return {"greatest return": (float(gains.max()), limit), "best safe return": (best, limit)}


def tuning_of(trained: TrainedTransformer, options: SafeTuningOptions) -> Tuning:
    """The problem of the tuner: pessimistic about costs, since the grid reaches beyond the safe.

    The seed is the target nearest to what a timid episode of little cost earned and cost.  Raises
    ModelError as `Tuning`.
    """
    points, limit = grid_of_targets(trained, options), options.limit
    gains, costs = trained.returns.T
    calm = costs <= np.quantile(costs, _CALM)
    timid = np.array([np.quantile(gains[calm], _CALM), costs[calm].max()])
    extent = np.ptp(points, axis=0)
    seed = int((((points - timid) / extent) ** 2).sum(axis=1).argmin())
    lengths = tuple((options.length * extent).tolist())
    many = options.rollouts**0.5
    variance = (options.prior_deviation * limit) ** 2
    cost = Surface(Kernel(options.kernel, variance, lengths), options.cost_noise / many,
                   options.prior_mean * limit)  # fmt: skip
    gain = Surface(Kernel(options.kernel, float(gains.var()), lengths),
                   options.return_noise / many, float(gains.mean()))  # fmt: skip
    more: dict[str, Any] = {"method": options.method}
    if options.method in ("pls", "stageopt"):
        more |= {"explorations": options.evaluations * 3 // 4, "accuracy": float(gains.std()) / 2}
    return Tuning(
        points, (seed,), limit, gain, cost, failure=options.failure, tolerance=limit / 4,
        cost_range=(0.0, inf), evaluations=options.evaluations, **more,
    )  # fmt: skip


def check(training: Training) -> None:
    """What is known of the data before the training: that of a file, and one episode of drivers.

    Raises ModelError as `decision_transformer.check`, and for a file as the targets below.
    """
    data = decision_transformer.check(training)
    if training.options.data:
        plain_targets(data, training.options.limit)
        if training.options.method != "fine-tuning":
            grid_of_targets(data, training.options)


def of_transformer(training: Training) -> Training:
    """The training of the decision transformer that is tuned."""
    own = {one.name: getattr(training.options, one.name)
           for one in fields(DecisionTransformerOptions)}  # fmt: skip
    options = DecisionTransformerOptions(**own)
    name = decision_transformer.ALGORITHM.name
    return Training(name, training.task, training.seed, options, training.device)


def train(workplace: Workplace) -> None:
    """Train the transformer where it is not there, tune its target, and compare.

    Raises ModelError and TrainingError as `runs.obtain`.
    """
    import torch

    training, folder = workplace.training, workplace.run.folder.parent
    options: SafeTuningOptions = training.options
    run = obtain(of_transformer(training), folder=folder, progress=workplace.progress)
    trained: TrainedTransformer = run.result()
    targets = plain_targets(trained, options.limit)
    if options.method == "fine-tuning":
        told = _fine_tuned(workplace, trained, targets["best safe return"])
        targets, stopped = {"fine-tuned": targets["best safe return"]}, "All evaluations are made."
    else:
        tuner, told = _tuned(workplace, trained)
        targets["seed"] = _target(tuner, tuner.tuning.seeds[0])
        try:
            stopped, targets["tuned"] = str(tuner.stopped), _target(tuner, tuner.recommend())
        except ModelError as error:
            stopped = str(error)
    fresh = {
        f"fresh/{name}": trained.rollouts(
            training.task,
            np.tile(target, (options.fresh, 1)),
            ("tuned", training.digest, name),
            deterministic=not options.drawn,
        )
        for name, target in targets.items()
    }
    tensors = {name: torch.from_numpy(found) for name, found in {"told": told, **fresh}.items()}
    workplace.keep(tensors, {"stopped": stopped, "targets": targets})


def _target(tuner: Tuner, index: int) -> tuple[float, float]:
    first, second = tuner.tuning.points[index].tolist()
    return first, second


def _tuned(workplace: Workplace, trained: TrainedTransformer) -> tuple[Tuner, Array]:
    """The tuner when it has stopped, and what it was told, as `TunedTarget.told`."""
    import torch

    training, options = workplace.training, workplace.training.options
    tuner, told = Tuner(tuning_of(trained, options)), list[list[float]]()
    done, saved = workplace.resume()
    kept = [] if saved is None else saved.tensors["told"].tolist()
    while (proposal := tuner.ask()) is not None:
        number = len(told) + 1
        asked = np.tile(proposal.target, (options.rollouts, 1))
        if number <= done:
            mean = kept[number - 1][2:]
        else:
            found = trained.rollouts(training.task, asked, ("tuning", training.digest, number),
                                     deterministic=not options.drawn)  # fmt: skip
            mean = found.mean(axis=0).tolist()
        tuner.tell(proposal, *mean)
        told.append([*proposal.target, *mean])
        if number > done:
            _record(workplace, number, mean, {"safe targets": float(tuner.safe.sum())})
            workplace.checkpoint(number, {"told": torch.tensor(told, dtype=torch.float64)}, {})
    return tuner, np.array(told).reshape(-1, 4)


def _record(
    workplace: Workplace, number: int, mean: Sequence[float], more: Mapping[str, float]
) -> None:
    numbers = {"return": mean[0], "cost": mean[1], **more}
    workplace.record(number, workplace.training.options.evaluations, numbers)


def _fine_tuned(
    workplace: Workplace, trained: TrainedTransformer, target: tuple[float, float]
) -> Array:
    """Fine-tune the network; returns `TunedTarget.told`.  It begins anew where it was stopped."""
    from .fine_tuning import fine_tune
    from .learning import Learner

    workplace.resume()
    training, options = workplace.training, workplace.training.options
    learner = Learner(trained.network, options, training.seed, training.device)
    told: list[list[float]] = []

    def keep(number: int, mean: Array) -> None:
        told.append([*target, *mean.tolist()])
        _record(workplace, number, mean.tolist(), {})

    policy = trained.at(np.tile(target, (options.rollouts, 1)))
    words = ("fine-tuning", training.digest)
    data = data_of(of_transformer(training))
    fine_tune(learner, policy, training.task, data, options.evaluations, words, keep)
    return np.array(told)


def load(run: Run) -> TunedTarget:
    """What came of the tuning.  Raises ModelError as `Run.outcome`."""
    saved, options = run.outcome(), run.training.options
    targets = {name: (a, b) for name, (a, b) in saved.numbers["targets"].items()}
    fresh = {name: saved.tensors[f"fresh/{name}"].numpy() for name in targets}
    told, stopped = saved.tensors["told"].numpy(), saved.numbers["stopped"]
    return TunedTarget(options.limit, options.method, stopped, told, targets, fresh)


def preset(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """On Circle tasks, which begin anywhere on the ring, episodes at one target differ more."""
    more = {"rollouts": 20, "cost_noise": 12.0, "return_noise": 30.0} if "Circle" in task else {}
    idle = IDLE.split() if given.get("method") == "fine-tuning" else ()
    return {name: value for name, value in more.items() if name not in {*given, *idle}}


ALGORITHM = Algorithm(
    NAME, SafeTuningOptions, train, load, check, preset, source,
)  # fmt: skip
