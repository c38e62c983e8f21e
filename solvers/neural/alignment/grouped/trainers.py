"""TRL's group-based trainers on a bandit: completions are drawn from the law as it is, exactly.

What an algorithm rewards is a function of whole groups.  Its law after training is beside the law
that its update has as fixed point, which is no maximum of what one would think it maximises.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

from ....sequences import Array
from ...parts.runs import Workplace
from ...parts.trainer_checkpoints import silent
from ..bandits import Bandit, fresh_bandit, variation
from ..checks import reference_laws, require_pad, require_reference, require_saved
from ..outcomes import keep, seed_of, trainer_arguments

Reward = Callable[[Array, Array], Array]
"""(which prompt each group is of [B], responses [B, M]) -> rewards [B, M]."""


@dataclass
class Session:
    """One training.

    reward: of whole groups; wanted: the law that the update should lead to, for the metrics, or
    None; watch: what is to be done after each update with the law as it is, such as moving a
    multiplier, and its numbers for the metrics; advantages: what `reward` leaves for the trainer
    to use in place of rewards less their mean, [B M], or None; last: the batch that it trained on.
    """

    bandit: Bandit
    group: int
    reward: Reward
    wanted: Array | None = None
    watch: Callable[[Array], dict[str, float]] = lambda law: {}
    advantages: Array | None = None
    last: Any = None

    def roll(self, prompts: list[str], _: Any = None) -> dict[str, Any]:
        """For the trainer: responses to the prompts, drawn from the law of the network."""
        which = [self.bandit.names.index(name) for name in prompts]
        laws = torch.from_numpy(np.exp(self.bandit.log_laws()))
        tokens = torch.multinomial(laws[which], 1).tolist()
        ids = self.bandit.prompts[which].tolist()
        return {"prompt_ids": ids, "completion_ids": tokens, "logprobs": None}

    def score(self, prompts: list[str], completion_ids: list[list[int]], **_: Any) -> list[float]:
        """For the trainer: rewards of the responses."""
        which = np.array([self.bandit.names.index(name) for name in prompts])
        tokens = np.array(completion_ids)[:, 0]
        found = self.reward(which.reshape(-1, self.group)[:, 0], tokens.reshape(-1, self.group))
        return [float(one) for one in found.flatten()]


class GroupTrainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's, with the advantages of the session where it has any."""

    session: Session

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self.session.advantages is not None:
            found: Tensor = torch.from_numpy(self.session.advantages).to(output["advantages"])
            output["advantages"] = found
        self.session.last = output
        return output


class LeaveOneOutTrainer(RLOOTrainer):  # type: ignore[misc]
    """TRL's, with responses drawn by the session."""

    session: Session

    def _generate(self, prompts: list[str]) -> tuple[Any, Any, Any]:
        found = self.session.roll(prompts)
        tokens = found["completion_ids"]
        return found["prompt_ids"], tokens, self.session.bandit.tokenizer.batch_decode(tokens)


def start(workplace: Workplace) -> Bandit:
    """The model before training, saved where TRL will reload its reference from."""
    from transformers import AutoModelForCausalLM

    training, options = workplace.training, workplace.training.options
    workplace.resume()
    fresh = fresh_bandit(options.prompts, options.responses, seed_of(training))
    folder = fresh.save(workplace.run.folder / "reference")
    network = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float64, local_files_only=True
    )
    return Bandit(network, fresh.tokenizer, fresh.prompts)


def run(workplace: Workplace, session: Session, *, leave_one_out: bool = False) -> Array:
    """Train the bandit of the session, and return its law, float64[X, Y].

    Raises ModelError for a tokenizer without pad token, or if the reference that TRL has loaded is
    not the model before training.
    """
    bandit, options = session.bandit, workplace.training.options
    require_pad(bandit.tokenizer)
    require_saved(bandit)
    before = bandit.log_laws()
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # of rollout_func
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, about names that are to change
        trainer = _trainer(workplace, session, leave_one_out)
        if options.temperature:
            require_reference(reference_laws(trainer, bandit), before, "the trainer")
        trainer.train()
    bandit.save(workplace.run.folder / "model")
    law: Array = np.exp(bandit.log_laws())
    return law


def _trainer(workplace: Workplace, session: Session, leave_one_out: bool) -> Any:
    options = workplace.training.options
    names = session.bandit.names * (options.groups // options.prompts)
    arguments = trainer_arguments(
        workplace, max_steps=options.updates, learning_rate=options.learning_rate,
        per_device_train_batch_size=options.groups * options.group, beta=options.temperature,
        num_generations=options.group, max_completion_length=1, shuffle_dataset=False,
    )  # fmt: skip
    given = {
        "model": session.bandit.network, "reward_funcs": session.score,
        "train_dataset": Dataset.from_dict({"prompt": names}),
        "processing_class": session.bandit.tokenizer, "callbacks": [_watch(workplace, session)],
    }  # fmt: skip
    if leave_one_out:
        trainer: Any = LeaveOneOutTrainer(**given, args=RLOOConfig(**arguments))
    else:
        grpo = GRPOConfig(**arguments, loss_type="dr_grpo", scale_rewards="none")
        trainer = GroupTrainer(**given, args=grpo, rollout_func=session.roll)
    trainer.session = session
    return silent(trainer)


def _watch(workplace: Workplace, session: Session) -> Any:
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            law = np.exp(session.bandit.log_laws())
            numbers = session.watch(law)
            if session.wanted is not None:
                numbers["distance"] = variation(law, session.wanted)
            workplace.record(state.global_step, state.max_steps, numbers)

    return Watch()


def train_groups(
    workplace: Workplace,
    session: Session,
    rewards: Array,
    safety: Array,
    *,
    leave_one_out: bool = False,
    numbers: Callable[[], dict[str, Any]] = dict,
) -> None:
    """Train on one thread and keep the outcome; numbers: kept beside the laws, asked for last."""
    from ...parts.on_policy import one_thread

    before = np.exp(session.bandit.log_laws())
    with one_thread():
        law = run(workplace, session, leave_one_out=leave_one_out)
    keep(workplace, before, rewards, safety, {"policy": law}, numbers())
