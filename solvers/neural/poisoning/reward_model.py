"""A Bradley-Terry reward model: a trunk makes features of an answer, a linear head scores them.

    r(x, y) = head . trunk(features(x, y)),   so a pair has the logit  head . phi_i,
    phi_i = trunk(features of chosen) - trunk(features of rejected),

    L = sum_i rho_i [softplus(head . phi_i) - theta_i head . phi_i] + ridge/2 norm(head)^2.

With a frozen trunk the labels theta enter through Phi D theta alone (D = diag rho), so that two
labellings with the same moments give the same training run, step by step.  With a trained trunk
they do not, for Phi itself moves.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Linear, Module, Sequential, Tanh
from torch.nn.functional import softplus

from ...errors import ModelError
from ...sequences import Array
from ..parts.training import TrainingError

OPTIMIZERS = ("adam", "lbfgs")
_FASTEST = 1e37
"""Of learning rates: Adam's first step is ten times as large and must be a number in single
precision, which ends at 3e38.  A rate anywhere near it ends in a TrainingError."""
Watch = Callable[[int, float], None]
"""Called after each update with its number, from 1, and the loss before it, divided by sum rho."""


@dataclass(frozen=True)
class Descent:
    """How a model is trained.

    steps: updates; learning_rate: of the head, for Adam; trunk_learning_rate: 0 freezes the trunk;
    ridge: of the head, in units of the loss summed over the pairs; batch: pairs an update, 0 for
    all; optimizer: "adam", or "lbfgs" (frozen trunk, all pairs), which reaches the minimiser.

    Raises ModelError for an optimizer that is not known or cannot do what is asked of it.
    """

    steps: int = 150
    learning_rate: float = 3e-3
    trunk_learning_rate: float = 0.0
    ridge: float = 0.0
    batch: int = 0
    optimizer: str = "adam"

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ModelError(f"optimizer = {self.optimizer!r}; give one of {', '.join(OPTIMIZERS)}")
        if self.optimizer == "lbfgs" and (self.trunk_learning_rate or self.batch):
            raise ModelError(
                "optimizer = 'lbfgs' trains the head on all pairs; leave trunk = \"frozen\" and "
                "batch = 0, or take 'adam'"
            )
        positive = {"steps": self.steps, "learning_rate": self.learning_rate}
        for name, value in positive.items():
            if value <= 0:
                raise ModelError(f"{name} = {value}; it must be positive")
        others = {"trunk_learning_rate": self.trunk_learning_rate, "ridge": self.ridge,
                  "batch": self.batch}  # fmt: skip
        for name, value in others.items():
            if value < 0:
                raise ModelError(f"{name} = {value}; it must not be negative")
        for name in ("learning_rate", "trunk_learning_rate"):
            if (value := getattr(self, name)) > _FASTEST:
                raise ModelError(f"{name} = {value}; give at most {_FASTEST:g}, such as 3e-3")


class RewardModel(Module):
    """Trunk d-hidden-width with tanh (single precision), head without bias (double precision).

    Inputs are centred and scaled by `centre` and `scale` (d) first.  Feature differences have
    entries in [-2, 2].
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, n_inputs: int, hidden: int, width: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.trunk = Sequential(Linear(n_inputs, hidden), Tanh(), Linear(hidden, width), Tanh())
            self.head = Linear(width, 1, bias=False, dtype=torch.float64)
        self.register_buffer("centre", torch.zeros(n_inputs))
        self.register_buffer("scale", torch.ones(n_inputs))

    def standardise(self, answers: Tensor) -> None:
        """Centre and scale by means and standard deviations of these answers (2, N, d)."""
        rows = answers.flatten(0, 1)
        deviations = rows.std(dim=0)
        self.centre = rows.mean(dim=0)
        self.scale = torch.where(deviations > 0, deviations, torch.ones_like(deviations))

    def inputs(self, answers: Tensor) -> Tensor:
        """What the trunk is given, of features as they were read."""
        return (answers - self.centre) / self.scale

    def features(self, answers: Tensor) -> Array:
        """Phi (width, N), float64, of answers (2, N, d): chosen, then rejected."""
        with torch.no_grad():
            found = self.differences(self.inputs(answers)).cpu().numpy()
        return np.ascontiguousarray(found.T)

    def differences(self, inputs: Tensor) -> Tensor:
        """phi_i (N, width), float64, of inputs (2, N, d)."""
        chosen, rejected = self.trunk(inputs).double()
        return chosen - rejected

    @property
    def reward(self) -> Array:
        """The head (width), float64."""
        found: Array = self.head.weight.detach().cpu().numpy()[0].copy()
        return found


def pairs_of(chosen: Array, rejected: Array, device: str = "cpu") -> Tensor:
    """Answers (2, N, d), single precision."""
    return torch.tensor(np.stack([chosen, rejected]), dtype=torch.float32, device=device)


def fit(
    model: RewardModel,
    answers: Tensor,
    labels: Array,
    how: Descent,
    *,
    weights: Array | None = None,
    seed: int = 0,
    watch: Watch | None = None,
) -> RewardModel:
    """A copy of the model, trained; the model itself stays as it is.

    answers: (2, N, d); labels: theta (N) in [0, 1]; weights: rho (N), or None for ones; seed: of
    the order of batches.  Torch is left with one thread.

    Raises TrainingError naming the update at which a loss or a parameter is not finite.
    """
    torch.set_num_threads(1)
    learner = copy.deepcopy(model)
    loss = _Loss(learner, answers, labels, weights, how)
    optimizer = _optimizer(learner, how)
    order = _batches(len(labels), how.batch, seed)
    for step in range(1, how.steps + 1):
        rows = next(order)

        def closure(rows: Any = rows) -> Tensor:
            optimizer.zero_grad()
            value = loss(rows)
            value.backward()  # type: ignore[no-untyped-call]
            return value

        value = float(optimizer.step(closure).detach())
        if not (np.isfinite(value) and all(p.isfinite().all() for p in learner.parameters())):
            raise TrainingError(
                f"update {step} of {how.steps}: the loss is {value:g} and parameters may not be "
                "finite; lower the learning rates"
            )
        if watch is not None:
            watch(step, value)
    return learner


class _Loss:
    """The loss over some pairs, divided by their weights, as a function of their numbers."""

    def __init__(
        self,
        learner: RewardModel,
        answers: Tensor,
        labels: Array,
        weights: Array | None,
        how: Descent,
    ) -> None:
        self.learner = learner
        rho = np.ones(len(labels)) if weights is None else weights
        self.labels, self.weights = (
            torch.tensor(numbers, dtype=torch.float64, device=answers.device)
            for numbers in (labels, rho)
        )
        self.penalty = how.ridge / 2 / float(self.weights.sum())
        self.inputs = learner.inputs(answers)
        frozen = how.trunk_learning_rate == 0
        self.fixed = learner.differences(self.inputs).detach() if frozen else None

    def __call__(self, rows: Any) -> Tensor:
        if self.fixed is not None:
            phi = self.fixed[rows]
        else:
            phi = self.learner.differences(self.inputs[:, rows])
        scores, rho = self.learner.head(phi)[:, 0], self.weights[rows]
        terms = rho * (softplus(scores) - self.labels[rows] * scores)
        return terms.sum() / rho.sum() + self.penalty * self.learner.head.weight.square().sum()


def _optimizer(learner: RewardModel, how: Descent) -> Any:
    head = list(learner.head.parameters())
    if how.optimizer == "lbfgs":
        return torch.optim.LBFGS(
            head, max_iter=1, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe"
        )
    groups = [{"params": head, "lr": how.learning_rate}]
    if how.trunk_learning_rate:
        groups.append({"params": learner.trunk.parameters(), "lr": how.trunk_learning_rate})
    return torch.optim.Adam(groups)


def _batches(pairs: int, batch: int, seed: int) -> Iterator[Any]:
    """Numbers of pairs without end: all, or batches of pairs in a new order each epoch."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        if not batch or batch >= pairs:
            yield slice(None)
        else:
            yield from torch.randperm(pairs, generator=generator).split(batch)
