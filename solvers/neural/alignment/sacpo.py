"""SACPO: a policy is aligned with rewards first, and the outcome then with safety.

Stage 1 learns r at temperature beta from the reference, stage 2 learns g at beta / multiplier from
the *frozen policy of stage 1*.  The exact outcome is the reference tilted by
(r + multiplier g) / beta; two ways to get stage 2 wrong have exact outcomes of their own, and can
be trained as controls.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...alignment.tilts import tilt
from ...errors import ModelError
from ...sequences import Array
from ..parts.algorithms import Algorithm
from ..parts.constrained import require_positive
from ..parts.runs import Workplace
from ..parts.training import option
from .checks import require_adapters, require_multiplier, require_reference
from .outcomes import from_the_start, keep, load, require_task, seed_of

MODES, LOSSES, SECONDS = ("full", "lora"), ("dpo", "kto"), ("right", "temperature", "reference")


@dataclass(frozen=True)
class SacpoOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    prompts: int = option(2, "prompts of the tiny model")
    responses: int = option(5, "responses to each, all tokens of its vocabulary")
    temperature: float = option(0.5, "beta, the weight of the KL divergence of stage 1")
    multiplier: float = option(2.0, "lambda of safety; stage 2 has the temperature beta / lambda")
    first: str = option("dpo", "loss of stage 1: dpo, or kto, whose optimum is no tilt")
    then: str = option("dpo", "loss of stage 2: dpo or kto")
    mode: str = option("full", "full: all weights; lora: adapters, the same ones in both stages")
    rank: int = option(8, "of the adapters")
    second: str = option(
        "right",
        "right; controls: temperature (stage 2 at beta), reference (stage 2 relative to the start)",
    )
    updates: int = option(100, "updates of each stage, each on all pairs")
    learning_rate: float = option(0.02, "of AdamW, falling to 0 as a cosine")

    def __post_init__(self) -> None:
        require_positive(self, "prompts temperature rank updates learning_rate")
        require_multiplier(self.multiplier)
        known = {"first": LOSSES, "then": LOSSES, "mode": MODES, "second": SECONDS}
        for name, ones in known.items():
            if (value := getattr(self, name)) not in ones:
                raise ModelError(f"{name} = {value!r} is not known; give one of {', '.join(ones)}")

    @property
    def second_temperature(self) -> float:
        """beta / multiplier, or what the control has in its place."""
        return self.temperature / (1 if self.second == "temperature" else self.multiplier)


@dataclass(frozen=True)
class Laws:
    """The outcomes of both stages without any training error: first, right; and of the controls."""

    first: Array
    right: Array
    temperature: Array
    reference: Array


def exact_laws(options: SacpoOptions, reference: Array, rewards: Array, safety: Array) -> Laws:
    """What the stages end with if each reaches its optimum; [X, Y] each."""
    beta, multiplier = options.temperature, options.multiplier
    return Laws(
        tilt(reference, rewards, beta),
        tilt(reference, rewards + multiplier * safety, beta),
        tilt(reference, rewards + safety, beta),
        tilt(reference, multiplier * safety, beta),
    )


def train(workplace: Workplace) -> None:
    """Train both stages; nothing is kept between updates, a tiny model takes seconds."""
    from .bandits import fresh_bandit, tables
    from .stages import Stage

    training, options = workplace.training, workplace.training.options
    with from_the_start(workplace):
        bandit = fresh_bandit(options.prompts, options.responses, seed_of(training))
        rewards, safety = tables(training.seed, options.prompts, options.responses)
        start = bandit.log_laws()
        bandit.save(workplace.run.folder / "reference")
        exact = exact_laws(options, np.exp(start), rewards, safety)
        adapters = _adapters(options)
        first = Stage(options.first, rewards, options.temperature, start, adapters)
        network = _stage(workplace, bandit, bandit.network, first, exact.first, 0)
        middle = bandit.log_laws(network)
        _save(bandit, network, workplace, "stage-1")
        if options.mode == "lora":
            require_adapters(network)
        before = start if options.second == "reference" else middle
        if options.second != "reference":
            require_reference(before, bandit.log_laws(network), "stage 2")
        second = Stage(options.then, safety, options.second_temperature, before)
        network = _stage(workplace, bandit, network, second, exact.right, options.updates)
        _save(bandit, network, workplace, "model")
        laws = {"first": np.exp(middle), "policy": np.exp(bandit.log_laws(network))}
    keep(workplace, np.exp(start), rewards, safety, laws)


def _adapters(options: SacpoOptions) -> Any:
    if options.mode == "full":
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=options.rank, lora_alpha=2 * options.rank, target_modules="all-linear",
        modules_to_save=None,
    )  # fmt: skip


def _stage(
    workplace: Workplace, bandit: Any, network: Any, stage: Any, wanted: Array, done: int
) -> Any:
    from .bandits import variation
    from .outcomes import trainer_arguments
    from .stages import train_stage

    options = workplace.training.options

    def record(update: int) -> None:
        # adapters are put into the network itself
        found = variation(np.exp(bandit.log_laws(network)), wanted)
        workplace.record(done + update, 2 * options.updates, {"distance": found})

    arguments = trainer_arguments(
        workplace, max_steps=options.updates, learning_rate=options.learning_rate
    )
    return train_stage(bandit, network, stage, arguments, record)


def _save(bandit: Any, network: Any, workplace: Workplace, name: str) -> None:
    """Whole weights, whether or not they were trained by adapters."""
    whole = copy.deepcopy(network).merge_and_unload() if _has_adapters(network) else network
    bandit.save(workplace.run.folder / name, whole)


def _has_adapters(network: Any) -> bool:
    return hasattr(network, "peft_config")


ALGORITHM = Algorithm("alignment/sacpo", SacpoOptions, train, load, require_task)
