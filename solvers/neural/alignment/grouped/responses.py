"""RePO, HIPO and GRPO of the best of n on a small real language model, and what each is held to.

One trainer, TRL's GRPO on adapters of the last layers, and one world, `texts`: prompts of a file,
short responses, a reward and six costs.  The rules are those of the bandit's algorithms, taken from
their modules.  No law is known here: what came of it is measured on held-out prompts, before and
after, and beside a control of the same seed, which has the same prompts and the same noise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import ModelError
from ....sequences import Array
from ....whole_files import whole, write_text
from ...parts.algorithms import Algorithm
from ...parts.constrained import require_positive
from ...parts.runs import Run, Workplace, runs_folder
from ...parts.training import option
from ...poisoning.language_model import model_of, require_model
from ..checks import require_pad
from ..outcomes import from_the_start, require_prompts, require_weights, seed_of, trainer_arguments
from .hipo import Judged
from .inference_aware import InferenceAwareOptions, estimated
from .repo import Multiplier

_MOVED = ("rate", "cap")
WAYS: dict[str, tuple[str, ...]] = {
    "plain": (), "repo": _MOVED, "average": _MOVED, "best-of-n": (),
    "hipo": (*_MOVED, "multiplier", "threshold", "memory"),
    "hipo-common": (*_MOVED, "multiplier", "threshold", "memory"), "combined": ("multiplier",),
}  # fmt: skip
"""What is rewarded -> the options that only it and a few others have."""
_ONLY = frozenset(name for names in WAYS.values() for name in names)
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TextOptions:
    """Options of one training.  Raises ModelError for what is not known, idle or out of range."""

    way: str = option(
        "repo",
        "repo: r - sum of lambda_k (cost_k - limit)+; average: its control, by mean costs; "
        "best-of-n; hipo: r + lambda s, each standardised as printed, s = 1 - the largest cost; "
        "hipo-common: only centred; combined: that with a fixed lambda; plain: r alone",
    )
    model: str = option("smollm2", "smollm2, tiny, or a folder as save_pretrained writes it")
    precision: str = option("float32", "of the frozen weights: float32 or bfloat16")
    prompts: int = option(32, "prompts to train on: every other one of the most toxic of the file")
    held_out: int = option(24, "prompts to judge on: those between them")
    samples: int = option(8, "responses to each held-out prompt, before and after")
    prompt_tokens: int = option(16, "most tokens of a prompt")
    tokens: int = option(8, "most tokens of a response, the end token included")
    temperature: float = option(0.0, "beta, the weight of the KL divergence")
    group: int = option(8, "responses of each group")
    groups: int = option(2, "groups an update, each of another prompt")
    updates: int = option(24, "updates, each on fresh groups")
    learning_rate: float = option(6e-3, "of AdamW, falling to 0 as a cosine")
    rank: int = option(16, "of the adapters")
    layers: int = option(6, "layers, from the last, that have adapters; all that is below is kept")
    limit: float = option(0.1, "what each cost of a response is to stay at or below")
    draws: int = option(4, "n of best-of-n, with which all are judged")
    rate: float = option(2.0, "of the multipliers; HIPO prints .07, which so few updates move "
                              "nowhere")  # fmt: skip
    cap: float = option(20.0, "the largest multiplier")
    multiplier: float = option(2.0, "lambda of HIPO at first")
    threshold: float = option(0.95, "what the mean of s is to be at least")
    memory: float = option(0.9, "of the moving average of s")

    def __post_init__(self) -> None:
        require_positive(
            self, "prompts held_out samples prompt_tokens tokens groups updates learning_rate rank "
            "layers draws rate cap"
        )  # fmt: skip
        for name, known in (("way", WAYS), ("precision", PRECISIONS)):
            if (value := getattr(self, name)) not in known:
                raise ModelError(f"{name} = {value!r} is not known; give one of {', '.join(known)}")
        require_model(self.model)
        self._require_ranges()
        for one in fields(self):
            if one.name in _ONLY - set(WAYS[self.way]) and getattr(self, one.name) != one.default:
                ways = [way for way, names in WAYS.items() if one.name in names]
                raise ModelError(
                    f"{one.name} = {getattr(self, one.name)} has no effect with way = "
                    f"{self.way!r}; leave it out, or give one of {', '.join(ways)}"
                )

    def _require_ranges(self) -> None:
        if self.group < 2 or self.prompts % self.groups:
            raise ModelError(
                f"group = {self.group} must be at least 2, and prompts = {self.prompts} a multiple "
                f"of groups = {self.groups}"
            )
        if self.temperature < 0 or not 0 <= self.memory < 1 or self.multiplier < 0:
            raise ModelError(
                f"temperature = {self.temperature} and multiplier = {self.multiplier} must not be "
                f"negative, and memory = {self.memory} is a share below 1"
            )
        if not 0 <= self.limit < 1 or not 0 < self.threshold <= 1:
            raise ModelError(
                f"limit = {self.limit} and threshold = {self.threshold}: costs and s are "
                "probabilities, so that nothing else could be met or missed"
            )
        if self.draws > self.samples or (self.way == "best-of-n" and self.draws >= self.group):
            raise ModelError(
                f"draws = {self.draws} must be at most samples = {self.samples}, of which the best "
                f"are taken, and with best-of-n below group = {self.group}"
            )


@dataclass(frozen=True, eq=False)
class Judgement:
    """before, after: rewards and six costs of fresh responses to the H held-out prompts
    [H, samples, 7]; limit: of costs; draws: n; model, precision: what was trained, in words."""

    before: Array
    after: Array
    options: TextOptions
    model: str

    def best(self, found: Array) -> Array:
        """The unbiased estimate of the best of n, by its reward, for each prompt [H]."""
        from math import comb

        size, draws = found.shape[1], self.options.draws
        weights = np.array([comb(k, draws - 1) for k in range(size)]) / comb(size, draws)
        return np.asarray(np.sort(found[:, :, 0], axis=1) @ weights)

    def excess(self, found: Array) -> Array:
        """The positive part of what the largest cost is above its limit [H, samples]."""
        return np.asarray((found[:, :, 1:].max(axis=2) - self.options.limit).clip(min=0))


@dataclass
class TextSession:
    """What the trainer asks for: responses, rewards; what it did last, for a log and for tests."""

    texts: Any
    group: int
    rule: Callable[[Array, Array], Array]
    noise: Any
    advantages: Array | None = None
    found: Array | None = None
    rewards: Array | None = None
    last: Any = None

    def roll(self, prompts: list[str], _: Any = None) -> dict[str, Any]:
        """For the trainer: groups of responses, drawn from the model as it is."""
        tokens = [
            row
            for prompt in prompts[:: self.group]
            for row in self.texts.draw(prompt, self.group, self.noise)
        ]
        ids = [self.texts.ids(prompt) for prompt in prompts]
        return {"prompt_ids": ids, "completion_ids": tokens, "logprobs": None}

    def score(self, prompts: list[str], completion_ids: list[list[int]], **_: Any) -> list[Any]:
        """For the trainer: rewards of the responses."""
        from ..texts import earned

        found = earned(prompts, self.texts.told(completion_ids))
        self.found = found.reshape(-1, self.group, found.shape[1])
        self.rewards = self.rule(self.found[..., 0], self.found[..., 1:])
        return [float(one) for one in self.rewards.flatten()]


def _rule(options: TextOptions, costs: tuple[str, ...]) -> tuple[Any, Any]:
    """Rewards of groups from gains [B, M] and costs [B, M, 6]; numbers of an update from these."""
    way = options.way
    if way in ("repo", "average"):
        averaged = way == "average"
        held = Multiplier(
            options.rate, options.cap, np.zeros(len(costs)), not averaged, averaged
        )  # fmt: skip

        def watch(found: Array) -> dict[str, float]:
            above = found[..., 1:] - options.limit
            moved = (above if averaged else above.clip(min=0)).mean(axis=(0, 1))
            return {
                f"{name}_{cost}": float(one)
                for name, values in (("multiplier", held.value), ("value", moved))
                for cost, one in zip(costs, values, strict=True)
            }

        return lambda gains, paid: held.reward(gains, paid - options.limit)[0], watch
    if way in ("hipo", "hipo-common", "combined"):
        judged = Judged(
            "each" if way == "hipo" else "common", options.threshold,
            0.0 if way == "combined" else options.rate, options.cap, options.memory,
            options.multiplier,
        )  # fmt: skip

        def line(found: Array) -> dict[str, float]:
            return {"multiplier": judged.value, "value": float(1 - found[..., 1:].max(-1).mean())}

        return lambda gains, paid: judged.reward(gains, 1 - paid.max(axis=-1)), line
    if way == "best-of-n":
        given = InferenceAwareOptions(group=options.group, draws=options.draws)
        return lambda gains, paid: estimated(given, gains), lambda found: {}
    return lambda gains, paid: gains, lambda found: {}


def train(workplace: Workplace) -> None:
    """Train; a run that was interrupted begins anew."""
    with from_the_start(workplace):
        _train(workplace)


def _train(workplace: Workplace) -> None:
    import torch

    from ..texts import Texts, adapted, read_prompts
    from ..toxicity import COSTS

    training, options = workplace.training, workplace.training.options
    seed, model = seed_of(training), model_of(options.model)
    require_pad(model.tokenizer)
    number = 2 * max(options.prompts, options.held_out)
    known = read_prompts(Path(training.task), model.tokenizer, options.prompt_tokens, number)
    network = adapted(model, options, seed, options.precision)
    texts = Texts(
        network, model.tokenizer, known[::2][: options.prompts], known[1::2][: options.held_out],
        options.tokens,
    )  # fmt: skip
    before = _untrained(texts, options, f"{model.digest} {seed}")
    rule, watch = _rule(options, COSTS)
    session = TextSession(texts, options.group, rule, torch.Generator().manual_seed(seed))
    trainer = trainer_of(workplace, session, watch)
    trainer.train()
    network.eval()
    after = texts.judge(options.samples, seed)
    network.save_pretrained(workplace.run.folder / "adapters")
    write_text(workplace.run.folder / "batch.jsonl", _batch(session))
    kept = {"before": torch.from_numpy(before), "after": torch.from_numpy(after)}
    workplace.keep(kept, {"model": model.name, "weights": model.digest})


def _untrained(texts: Any, options: TextOptions, name: str) -> Array:
    """What it does before training, seed and weights in the name; the controls ask again."""
    from safetensors.numpy import load_file, save_file

    rows = [name, *texts.held_out, options.tokens, options.samples, options.precision]
    key = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
    path = runs_folder() / "models" / "judged" / f"{key}.safetensors"
    if not path.is_file():
        found = texts.judge(options.samples, int(name.rpartition(" ")[2]))
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as unfinished:
            save_file({"judged": found}, unfinished)
    return np.asarray(load_file(path)["judged"])


def trainer_of(
    workplace: Workplace, session: TextSession, watch: Callable[[Array], dict[str, float]]
) -> Any:
    """TRL's GRPO on the session, with one line of metrics an update."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig

    from ...parts.trainer_checkpoints import silent
    from .trainers import GroupTrainer

    options = workplace.training.options

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            found = np.asarray(session.found)
            worst = found[..., 1:].max(axis=-1)
            numbers = {
                "reward": float(found[..., 0].mean()), "cost": float(worst.mean()),
                "unsafe": float((worst > options.limit).mean()), **watch(found),
            }  # fmt: skip
            workplace.record(state.global_step, state.max_steps, numbers)

    arguments = trainer_arguments(
        workplace, max_steps=options.updates, learning_rate=options.learning_rate,
        per_device_train_batch_size=options.groups * options.group, beta=options.temperature,
        num_generations=options.group, max_completion_length=options.tokens,
        shuffle_dataset=False, loss_type="dr_grpo", scale_rewards="none", max_grad_norm=1.0,
    )  # fmt: skip
    trainer: Any = GroupTrainer(
        model=session.texts.network, reward_funcs=session.score, rollout_func=session.roll,
        train_dataset=Dataset.from_dict({"prompt": list(session.texts.prompts)}),
        processing_class=session.texts.tokenizer, args=GRPOConfig(**arguments),
        callbacks=[Watch()],
    )  # fmt: skip
    trainer.session = session
    return silent(trainer)


def _batch(session: TextSession) -> str:
    """The groups of the last update, as ``holdfast audit`` reads a batch."""
    given = session.last["advantages"].tolist()
    rewards = np.asarray(session.rewards).flatten().tolist()
    rows = [
        {"group": at // session.group, "reward": reward, "advantage": advantage}
        for at, (reward, advantage) in enumerate(zip(rewards, given, strict=True))
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def load(run: Run) -> Judgement:
    """What a finished run keeps.

    Raises ModelError as `Run.outcome`, and if the weights of the model's folder have changed.
    """
    kept, options = run.outcome(), run.training.options
    require_weights(options.model, kept.numbers["weights"], run.folder)
    found = {name: one.numpy() for name, one in kept.tensors.items()}
    return Judgement(found["before"], found["after"], options, kept.numbers["model"])


ALGORITHM = Algorithm(
    "alignment/texts",
    TextOptions,
    train,
    load,
    require_prompts,
    source=lambda training: Path(training.task),
)
