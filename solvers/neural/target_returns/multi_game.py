"""A decision transformer for several games at once, and the choice of the return it is asked for.

Sources: Lee et al. 2022 for the transformer and the exponential tilt; Tatematsu and Wachi 2025 for
the choice by data, in our formalisation.  Returns are UN-normalised sums, in bins of width 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ..parts.algorithms import Algorithm
from ..parts.constrained import require_positive
from ..parts.training import Training, option

if TYPE_CHECKING:
    from ..parts.runs import Run, Workplace
    from .target_choice import MultiGame

_MEASURED = 50
"""Gradient steps between lines of metrics."""


@dataclass(frozen=True)
class MultiGameOptions:
    """Options of the transformer; the defaults take some minutes of one core for five games."""

    play: int = option(30_000, "steps of each game that a PPO agent learns in, which are the data")
    steps: int = option(1500, "gradient steps")
    batch: int = option(64, "windows a gradient step")
    learning_rate: float = option(1e-3, "of AdamW")
    context: int = option(4, "steps that the transformer looks back on, the present one included")
    bins: int = option(41, "returns still to come that it knows, from 0 on; others are clipped")
    width: int = option(64, "units of its layers")
    layers: int = option(2, "its layers")
    heads: int = option(4, "its heads of attention")
    experts: float = option(0.1, "share of the episodes of a game that are called expert")

    def __post_init__(self) -> None:
        require_positive(self, "play steps batch learning_rate context width layers heads experts")
        if self.bins < 2 or self.experts > 1 or self.width % self.heads:
            raise ModelError(
                f"bins = {self.bins} must be at least 2, experts = {self.experts} a share, and "
                f"width = {self.width} a multiple of heads = {self.heads}"
            )


def check(training: Training) -> None:
    """Make each game once.  Raises ModelError as `games_of`."""
    from .games import games_of

    games_of(training.task)


def train(workplace: Workplace) -> None:
    """Play, imitate, count, and keep the transformer with its tables.

    Raises ModelError as `play`, and TrainingError for a loss that is not finite.
    """
    from ..parts.on_policy import one_thread
    from .discrete import imitate, seeded_network
    from .games import LENGTH, Library, games_of, play
    from .target_choice import MultiGame, tables_of

    training = workplace.training
    options: MultiGameOptions = training.options
    workplace.resume()
    games = games_of(training.task)
    with one_thread():
        played = [play(name, options.play, training.seed) for name in games]
        data = Library(played, options.context, options.bins)
        sizes = {
            **{k: getattr(options, k) for k in ("bins", "context", "width", "layers", "heads")},
            "states": data.size,
            "actions": tuple(one.n_actions for one in played),
            "steps": LENGTH,
        }
        network = seeded_network(training.seed, **sizes)
        losses: list[float] = []
        updates = -(-options.steps // _MEASURED)
        for loss in imitate(
            network, data, steps=options.steps, batch=options.batch, rate=options.learning_rate,
            seed=training.seed,
        ):  # fmt: skip
            losses.append(loss)
            if len(losses) % _MEASURED == 0 or len(losses) == options.steps:
                recent = float(np.mean(losses[-_MEASURED:]))
                workplace.record(-(-len(losses) // _MEASURED), updates, {"loss": recent})
        tables = [tables_of(network, data, g, options.experts) for g in range(len(games))]
    found = MultiGame(network, games, tuple(tables))
    workplace.keep(found.tensors, {"sizes": {**sizes, "actions": list(sizes["actions"])}})


def load(run: Run) -> MultiGame:
    """The transformer with its tables.  Raises ModelError as `Run.outcome`."""
    from ..parts.checkpoints import part
    from .discrete import seeded_network
    from .games import games_of
    from .target_choice import MultiGame, Tables

    saved = run.outcome()
    sizes: dict[str, Any] = dict(saved.numbers["sizes"])
    network = seeded_network(0, **{**sizes, "actions": tuple(sizes["actions"])})
    network.load_state_dict(part("network", saved.tensors))
    games = games_of(run.training.task)
    kept = (part(f"table{g}", saved.tensors) for g in range(len(games)))
    tables = tuple(Tables(**{name: one.numpy() for name, one in each.items()}) for each in kept)
    return MultiGame(network.eval(), games, tables)


ALGORITHM = Algorithm("target_returns/multi-game", MultiGameOptions, train, load, check)
