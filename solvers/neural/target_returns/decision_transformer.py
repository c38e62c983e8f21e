"""A decision transformer that is asked for a return within a cost, trained on recorded episodes.

Maximum likelihood of the recorded actions given the returns and costs that were still to come
(Chen et al. 2021; with costs Liu et al. 2023).  What the latter add for their benchmarks (weights
of episodes, made-up episodes, an entropy, a loss of costs) is left out: the theory of
return-conditioned policies is about the likelihood alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ..parts.algorithms import Algorithm
from ..parts.constrained import refuse_idle, require_positive
from ..parts.task_data import data_of, source
from ..parts.training import Training, option

if TYPE_CHECKING:
    from ...offline.data_sets import DataSet
    from ..parts.runs import Run, Workplace
    from .policy import TrainedTransformer

_MEASURED = 50
"""Gradient steps between lines of metrics: more lines say little more and slow the training."""


@dataclass(frozen=True)
class DecisionTransformerOptions:
    """Options of the decision transformer; the defaults train for a minute of one core."""

    data: str = option("", "HDF5 file of episodes (DSRL, D4RL, Minari); none for scripted drivers")
    episodes: int = option(400, "episodes of the scripted drivers")
    context: int = option(8, "steps that the transformer looks back on, the present one included")
    width: int = option(64, "units of its layers")
    layers: int = option(2, "its layers")
    heads: int = option(4, "its heads of attention")
    dropout: float = option(0.0, "share of units left out in training; as long again for any")
    steps: int = option(2000, "gradient steps")
    batch: int = option(64, "windows a gradient step")
    learning_rate: float = option(1e-3, "of AdamW, after the warm-up")
    warm_up: int = option(100, "gradient steps over which the rate rises evenly")
    weight_decay: float = option(1e-4, "of AdamW")
    gradient_norm: float = option(0.25, "gradients are scaled down to this norm")
    checkpoint_every: int = option(10, "updates of 50 gradient steps between checkpoints")

    def __post_init__(self) -> None:
        require_positive(self, "episodes context width layers heads steps batch learning_rate")
        require_positive(self, "warm_up gradient_norm checkpoint_every")
        if self.width % self.heads:
            raise ModelError(
                f"width = {self.width} is no multiple of heads = {self.heads}; give such as 64 and "
                "4"
            )
        if not 0 <= self.dropout < 1 or self.weight_decay < 0:
            raise ModelError(
                f"dropout = {self.dropout} must be in [0, 1) and weight_decay = "
                f"{self.weight_decay} at least 0; give such as 0.1 and 0.0001"
            )
        if self.data:
            refuse_idle(self, "episodes", f"data = {self.data!r}")

    @property
    def per_update(self) -> int:
        """Gradient steps of an update."""
        return min(_MEASURED, self.steps)

    @property
    def updates(self) -> int:
        """How many updates `steps` are; the last one may have fewer than the others."""
        return -(-self.steps // self.per_update)


def check(training: Training) -> DataSet:
    """The data, or one episode of drivers.  Raises ModelError as `data_of`, and as `train`."""
    data = data_of(training, episodes=1)
    _sizes(training, data)
    return data


def _sizes(training: Training, data: DataSet) -> dict[str, Any]:
    """What the network is built with.  Raises ModelError for actions that are no bounded Box."""
    from gymnasium import spaces

    from ..parts.tasks import environment

    env = environment(training.task)
    actions = env.action_space
    env.close()
    if not isinstance(actions, spaces.Box) or not actions.is_bounded():
        raise ModelError(
            f"{training.task} has the actions {actions}; only bounded vectors (Box) are learnt here"
        )
    options: DecisionTransformerOptions = training.options
    return {
        **{k: getattr(options, k) for k in ("context", "width", "layers", "heads", "dropout")},
        "observations": data.observations.shape[1],
        "actions": data.actions.shape[1],
        "steps": int(np.diff(data.ends, prepend=0).max()),
        "low": actions.low.tolist(),
        "high": actions.high.tolist(),
    }


def train(workplace: Workplace) -> None:
    """Train from the last checkpoint to the end, and keep the transformer.

    Raises ModelError as `data_of`, and TrainingError for a loss that is not finite.
    """
    from ..parts.on_policy import one_thread
    from .learning import Learner
    from .policy import TrainedTransformer, network_of

    training = workplace.training
    options: DecisionTransformerOptions = training.options
    done, saved = workplace.resume()
    data = data_of(training)
    numbers = _sizes(training, data)
    with one_thread():
        network = network_of(numbers, training.seed)
        network.scale_to(data)
        learner = Learner(network, options, training.seed, training.device)
        if saved is not None:
            learner.restore(saved)
        for update in range(done + 1, options.updates + 1):
            left = options.steps - (update - 1) * options.per_update
            loss = learner.update(data, update, min(left, options.per_update))
            workplace.record(update, options.updates, {"loss": loss})
            if update % options.checkpoint_every == 0:
                workplace.checkpoint(update, learner.tensors(), {})
    workplace.keep(TrainedTransformer(network, data.returns, numbers).tensors, numbers)


def load(run: Run) -> TrainedTransformer:
    """The trained transformer.  Raises ModelError as `Run.outcome`."""
    from .policy import transformer_from

    return transformer_from(run.outcome())


ALGORITHM = Algorithm(
    "target_returns/decision-transformer", DecisionTransformerOptions, train, load, check,
    source=source,
)  # fmt: skip
