"""GRPO on K-step locks: every update beside its exact expectation.

The optimizer is plain gradient ascent with a constant rate, so that the expected update is the rate
times the expected gradient, which `laws` has exactly.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..parts import metrics
from ..parts.algorithms import Algorithm
from ..parts.constrained import require_positive
from ..parts.runs import Run, Workplace
from ..parts.training import Training, option

if TYPE_CHECKING:
    from .group_policy import Session
    from .locks import Locks

TASK = "lock"
REWARDS = ("verified", "shuffled", "early")
_USUAL = "1.5"
_MEMORY = 0.8
"""What an update leaves of older counts of the controller: more follows a policy that improves too
slowly, less makes estimates of hard locks noisy."""
_LONGEST = 4
"""Longest horizon that the controller gives, in units of the fixed one: a longer one costs more
tokens, a shorter one leaves the hardest locks without any solved rollout."""


@dataclass(frozen=True)
class LockOptions:
    """Options of one training.  Raises ModelError for what is not known or out of range."""

    steps: int = option(3, "K, the tokens of the secret")
    horizon: int = option(60, "H, the most tokens of a rollout")
    budgets: str = option("", f"xi of the base policy, one lock for each, such as 0.5,2; default "
                              f"{_USUAL}, and not with a model, which has its own")  # fmt: skip
    target: float = option(0.0, "xi to which the controller sets the horizon of each lock, from "
                                "what rollouts have shown; 0 for the fixed horizon")  # fmt: skip
    rewards: str = option("verified", "verified; controls: shuffled (within each group), early (by "
                                      "a verifier that asks for one step too few)")  # fmt: skip
    updates: int = option(30, "updates, each on fresh groups")
    groups: int = option(8, "groups an update, the same number of each lock")
    group: int = option(8, "rollouts of each group")
    learning_rate: float = option(0.02, "of plain gradient ascent on the sum over tokens / H")
    model: str = option("", "folder of a saved causal language model, as it is; default a small "
                            "Llama that is first taught the base policy")  # fmt: skip
    letters: int = option(6, "letters that the secret is made of")
    width: int = option(32, "units of the small Llama")
    layers: int = option(2, "its layers")
    checkpoint_every: int = option(10, "updates between checkpoints; 0 for none")

    def __post_init__(self) -> None:
        require_positive(self, "steps horizon updates groups learning_rate width layers")
        if self.rewards not in REWARDS:
            raise ModelError(f"rewards = {self.rewards!r}; give one of {', '.join(REWARDS)}")
        if self.model and self.budgets:
            raise ModelError(
                f"budgets = {self.budgets!r} have no effect on a model that is taken as it is; "
                "leave them out, or leave model out"
            )
        if not self.steps <= self.horizon or not self.steps <= self.letters <= 8:
            raise ModelError(
                f"steps = {self.steps} must be at most horizon = {self.horizon} and at most "
                f"letters = {self.letters}, of which there are 8 at most"
            )
        if self.group < 2 or self.width % 4 or self.target < 0 or self.checkpoint_every < 0:
            raise ModelError(
                f"group = {self.group} must be at least 2, width = {self.width} a multiple of 4, "
                f"target = {self.target} and checkpoint_every = {self.checkpoint_every} not "
                "negative"
            )
        if self.groups % len(self.chances):
            raise ModelError(
                f"groups = {self.groups} cannot be shared evenly by {len(self.chances)} locks; "
                f"give a multiple of {len(self.chances)}"
            )

    @property
    def chances(self) -> list[float]:
        """p of each lock: a token opens a step with probability p = xi K/H."""
        try:
            budgets = [float(text) for text in (self.budgets or _USUAL).split(",")]
        except ValueError as error:
            raise ModelError(
                f"budgets = {self.budgets!r} are no numbers; write such as 0.5,2"
            ) from error
        for budget in budgets:
            if not 0 < budget * self.steps < self.horizon:
                raise ModelError(
                    f"a budget of {budget:g} needs a success of {budget * self.steps:g}/"
                    f"{self.horizon} a token; it must lie between 0 and "
                    f"{self.horizon / self.steps:g}"
                )
        return [budget * self.steps / self.horizon for budget in budgets]


@dataclass
class Controller:
    """The horizon of each lock: a fixed one, or target times the estimated mean of T.

    The estimate is K spent/opened, tokens over steps opened, which is right even where rollouts
    were cut off; older updates count less.
    """

    options: LockOptions
    spent: Array = field(init=False)
    opened: Array = field(init=False)

    def __post_init__(self) -> None:
        self.spent, self.opened = np.zeros((2, len(self.options.chances)))

    def __call__(self) -> list[int]:
        """The horizon of each lock's next episode."""
        o = self.options
        if not o.target or not self.spent.any():
            return [o.horizon] * len(self.spent)
        wanted = o.target * o.steps * self.spent / np.maximum(self.opened, 1e-9)
        return [int(h) for h in np.clip(np.rint(wanted), o.steps, _LONGEST * o.horizon)]

    def tell(self, line: Mapping[str, float]) -> None:
        """Count what an update showed."""
        locks = range(len(self.spent))
        self.spent = _MEMORY * self.spent + [line[f"spent {x}"] for x in locks]
        self.opened = _MEMORY * self.opened + [line[f"opened {x}"] for x in locks]


def check(training: Training) -> None:
    """Raises ModelError for another task than "lock", or a device other than the CPU."""
    if training.task != TASK:
        raise ModelError(f"the task is {training.task!r}; locks are the task {TASK!r}")
    if training.device != "cpu":
        raise ModelError(
            f"device = {training.device!r}; a lock is so small that it is trained on the cpu"
        )


def train(workplace: Workplace) -> None:
    """Train, from the last whole checkpoint if there is one.  Raises TrainingError at a mean reward
    that is not finite, and ModelError for a model that knows no locks."""
    from ..parts.checkpoints import named
    from ..parts.on_policy import one_thread
    from ..parts.trainer_checkpoints import last_whole, updates_of

    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, about names that are to change
        folder, training = workplace.run.folder, workplace.training
        last = last_whole(folder / "checkpoint")
        metrics.cut(folder / "metrics.jsonl", updates_of(last))
        locks = base_locks(training)
        controller = Controller(training.options)
        for line in workplace.run.metrics():
            controller.tell(line)
        trainer, session = _trainer(workplace, locks, controller)
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
        line = {"chances": session.before().chances.tolist()}
    workplace.keep(named("network", locks.network.state_dict()), line)


def base_locks(training: Training) -> Locks:
    """The locks and the network before the first update."""
    from .locks import fresh_locks, saved_locks

    options: LockOptions = training.options
    if options.model:
        return saved_locks(options.model, len(options.chances), options.steps)
    return fresh_locks(
        options.chances, options.steps, letters=options.letters, width=options.width,
        layers=options.layers, seed=_seed(training),
    )  # fmt: skip


def _seed(training: Training) -> int:
    return int(np.random.SeedSequence(training.seed).generate_state(1)[0])


def _trainer(workplace: Workplace, locks: Locks, controller: Controller) -> tuple[Any, Session]:
    from datasets import Dataset, disable_progress_bars
    from trl import GRPOConfig

    from ..parts.trainer_checkpoints import saving, silent
    from .group_policy import LockTrainer, Session, watch

    disable_progress_bars()
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # of rollout_func
    options: LockOptions = workplace.training.options
    session = Session(
        locks, options.horizon, options.group, options.rewards, options.learning_rate, controller
    )

    def record(update: int, updates: int, line: dict[str, float]) -> None:
        controller.tell(line)
        workplace.record(update, updates, line)

    seed = _seed(workplace.training)
    arguments = GRPOConfig(
        output_dir=str(workplace.run.folder / "checkpoint"), seed=seed, data_seed=seed,
        max_steps=options.updates, per_device_train_batch_size=options.groups * options.group,
        num_generations=options.group, max_completion_length=options.horizon,
        learning_rate=options.learning_rate, optim="sgd", lr_scheduler_type="constant",
        max_grad_norm=0.0, loss_type="dr_grpo", beta=0.0, shuffle_dataset=False, use_cpu=True,
        bf16=False, gradient_checkpointing=False, dataloader_pin_memory=False, logging_steps=10**9,
        disable_tqdm=True, report_to=[], **saving(options.checkpoint_every),
    )  # fmt: skip
    prompts = locks.names * (options.groups // len(locks.names))
    trainer = LockTrainer(
        model=locks.network, reward_funcs=session.reward, args=arguments,
        train_dataset=Dataset.from_dict({"prompt": prompts}), processing_class=locks.tokenizer,
        rollout_func=session.roll,
        callbacks=[watch(lambda _: session.before(), session.after, "mean reward", record)],
    )  # fmt: skip
    trainer.locks = locks
    return silent(trainer), session


@dataclass(frozen=True, eq=False)
class LockRun:
    """What a finished run showed.

    lines: one mapping an update, as `Session.after` makes them; chances: after the last update,
    p of each lock and step; locks: with the trained network, and its tokenizer.
    """

    options: LockOptions
    lines: Sequence[Mapping[str, float]]
    chances: Sequence[Sequence[float]]
    training: Training
    tensors: Mapping[str, Any]

    def column(self, name: str) -> Array:
        """A number of every update; float64[updates]."""
        return np.array([line[name] for line in self.lines])

    def policies(self, lock: int = 0) -> list[tuple[float, ...]]:
        """p of each step of a lock, before each update and after the last; updates + 1 of them."""
        steps = range(self.options.steps)
        found = [tuple(line[f"chance {lock}.{j}"] for j in steps) for line in self.lines]
        return [*found, tuple(self.chances[lock])]

    @cached_property
    def locks(self) -> Locks:
        """With the trained network; ``network.save_pretrained`` writes it for ``model``."""
        found = base_locks(self.training)
        found.network.load_state_dict(dict(self.tensors))
        return found


def load(run: Run) -> LockRun:
    """What the run kept.  Raises ModelError as `Run.outcome`."""
    from ..parts.checkpoints import part

    kept = run.outcome()
    tensors = part("network", kept.tensors)
    return LockRun(
        run.training.options, run.metrics(), kept.numbers["chances"], run.training, tensors
    )


ALGORITHM = Algorithm("relative_budget/lock", LockOptions, train, load, check)
