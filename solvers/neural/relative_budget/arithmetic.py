"""GRPO of a small language model on questions with a verifiable answer, one question an update.

Before and after an update the chance of its question is read off the model, so that what the
update gained is known without sampling.  The optimizer is plain gradient ascent: with moments an
update would also gain what earlier questions taught.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    from .sums import Asked, Question

TASK = "sums"
_PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj")


@dataclass(frozen=True)
class ArithmeticOptions:
    """Options of one training.  Raises ModelError for what is out of range."""

    model: str = option("smollm2", "smollm2, tiny (random weights), a folder, or a name in the "
                                   "cache of transformers")  # fmt: skip
    dataset: str = option("reasoning-gym", "sums of reasoning-gym, or a file of JSON lines with "
                                           "question and answer")  # fmt: skip
    questions: int = option(12, "different questions")
    digits: int = option(1, "of the terms of generated sums")
    shots: int = option(4, "examples before each question")
    tokens: int = option(6, "H, the most tokens of an attempt")
    updates: int = option(24, "updates; each asks one question")
    group: int = option(8, "attempts of each group")
    learning_rate: float = option(0.2, "of plain gradient ascent")
    rank: int = option(8, "of the LoRA adapters; 0 trains all weights")
    bf16: bool = option(False, "compute in bfloat16: faster where the processor has it")
    checkpoint_every: int = option(10, "updates between checkpoints; 0 for none")
    keep_weights: bool = option(False, "keep adapters or weights beside the record")

    def __post_init__(self) -> None:
        require_positive(self, "questions digits shots tokens updates learning_rate")
        if self.group < 2 or self.rank < 0 or self.checkpoint_every < 0:
            raise ModelError(
                f"group = {self.group} must be at least 2, rank = {self.rank} and checkpoint_every "
                f"= {self.checkpoint_every} not negative"
            )


def check(training: Training) -> None:
    """Raises ModelError for another task than "sums"."""
    if training.task != TASK:
        raise ModelError(
            f"the task is {training.task!r}; it is {TASK!r}, and dataset says which questions"
        )


@dataclass
class Exam:
    """Asks one question an update, and records what its attempts showed."""

    asked: Asked
    questions: Sequence[Question]
    horizon: int
    which: int = -1
    lengths: list[int] = field(default_factory=list)
    rewards: list[float | None] = field(default_factory=list)

    def reward(
        self, completion_ids: list[list[int]], which: list[int], **_: Any
    ) -> list[float | None]:
        """For the trainer: (H - T + 1) for a right attempt of T tokens, 0 otherwise."""
        from .sums import is_right

        assert set(which) == {self.which}, "the trainer asks another question than is measured"
        texts = self.asked.tokenizer.batch_decode(completion_ids)
        self.lengths = [len(ids) for ids in completion_ids]
        self.rewards = [
            self.horizon - len(ids) + 1.0 if is_right(text, self.questions[x].answer) else 0.0
            for text, ids, x in zip(texts, completion_ids, which, strict=True)
        ]
        return self.rewards

    def before(self, update: int) -> float:
        """Choose the question of an update; the chance that it is solved."""
        self.which = update % len(self.questions)
        return self.asked.chance(self.questions[self.which])

    def after(self, before: float) -> dict[str, float]:
        """What is recorded of an update, once it is made."""
        return self.line(before, self.asked.chance(self.questions[self.which]))

    def line(self, before: float, after: float) -> dict[str, float]:
        """What is recorded of an update, from the chances before and after it."""
        length = sum(self.lengths) / len(self.lengths)
        earned = self.horizon + 1 - self.asked.solved_after(self.questions[self.which])
        return {
            "question": float(self.which), "chance": before, "chance_after": after,
            "xi": self.horizon * before / length, "gain": earned * (after - before),
            "right": float(sum(bool(r) for r in self.rewards)), "tokens": float(sum(self.lengths)),
            "equal": float(len(set(self.rewards)) == 1),
        }  # fmt: skip


def train(workplace: Workplace) -> None:
    """Train, from the last whole checkpoint if there is one.  Raises ModelError for a model or data
    that are not there, and TrainingError at a chance that is not finite."""
    import torch

    from ..parts.on_policy import one_thread
    from ..parts.trainer_checkpoints import last_whole, updates_of
    from .sums import load_asked, questions

    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, about names that are to change
        options: ArithmeticOptions = workplace.training.options
        folder = workplace.run.folder
        last = last_whole(folder / "checkpoint")
        metrics.cut(folder / "metrics.jsonl", updates_of(last))
        asked = questions(
            options.dataset, options.questions, shots=options.shots, digits=options.digits, seed=0
        )
        exam = Exam(load_asked(options.model, options.bf16), asked, options.tokens)
        first = torch.tensor([exam.asked.chance(one) for one in asked])
        trainer = _trainer(workplace, exam)
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
        final = torch.tensor([exam.asked.chance(one) for one in asked])
        if options.keep_weights:
            trainer.model.save_pretrained(folder / "model")
            exam.asked.tokenizer.save_pretrained(folder / "model")
    texts = [[one.text, one.answer] for one in asked]
    workplace.keep({"first": first, "final": final}, {"questions": texts})


def _trainer(workplace: Workplace, exam: Exam) -> Any:
    from datasets import Dataset, disable_progress_bars
    from peft import LoraConfig
    from trl import GRPOConfig, GRPOTrainer

    from ..parts.trainer_checkpoints import saving, silent
    from .group_policy import watch

    disable_progress_bars()
    training = workplace.training
    options: ArithmeticOptions = training.options
    seed = int(np.random.SeedSequence(training.seed).generate_state(1)[0])
    exam.asked.network.generation_config.eos_token_id = exam.asked.breaks
    arguments = GRPOConfig(
        output_dir=str(workplace.run.folder / "checkpoint"), seed=seed, data_seed=seed,
        max_steps=options.updates, per_device_train_batch_size=options.group,
        num_generations=options.group, max_completion_length=options.tokens,
        learning_rate=options.learning_rate, optim="sgd", lr_scheduler_type="constant",
        max_grad_norm=0.0, loss_type="dr_grpo", beta=0.0, shuffle_dataset=False,
        use_cpu=training.device == "cpu", bf16=options.bf16, gradient_checkpointing=False,
        dataloader_pin_memory=False, logging_steps=10**9, disable_tqdm=True, report_to=[],
        **saving(options.checkpoint_every),
    )  # fmt: skip
    adapters = LoraConfig(
        r=options.rank, lora_alpha=options.rank, target_modules=list(_PROJECTIONS)
    ) if options.rank else None  # fmt: skip
    rows = {"prompt": [one.prompt for one in exam.questions], "which": [*range(options.questions)]}
    trainer = GRPOTrainer(
        model=exam.asked.network, reward_funcs=exam.reward, args=arguments,
        train_dataset=Dataset.from_dict(rows), processing_class=exam.asked.tokenizer,
        peft_config=adapters,
        callbacks=[watch(exam.before, exam.after, "chance", workplace.record)],
    )  # fmt: skip
    return silent(trainer)


@dataclass(frozen=True, eq=False)
class ArithmeticRun:
    """What a finished run showed.

    lines: one mapping an update; first, final: chances of the questions before and after;
    questions: [text, answer] of each.
    """

    options: ArithmeticOptions
    lines: Sequence[Mapping[str, float]]
    first: Array
    final: Array
    questions: Sequence[Sequence[str]]

    def column(self, name: str) -> Array:
        """A number of every update; float64[updates]."""
        return np.array([line[name] for line in self.lines])


def load(run: Run) -> ArithmeticRun:
    """What the run kept.  Raises ModelError as `Run.outcome`."""
    kept = run.outcome()
    first, final = (kept.tensors[name].numpy() for name in ("first", "final"))
    return ArithmeticRun(run.training.options, run.metrics(), first, final,
                         kept.numbers["questions"])  # fmt: skip


ALGORITHM = Algorithm("relative_budget/arithmetic", ArithmeticOptions, train, load, check)
