"""TSDI on a language model that was trained to refuse whatever it is asked.

The refusal is the bias: adapters learn to begin a response with it on training prompts.  Judged at
the first token of responses to held-out prompts, where laws are known exactly: how likely the
refusal is, and how far the law is from that of the model before.  Three estimates of the bias: from
random prompts that stand in the frame of real ones; from bare random prompts; from a single prompt.
The last two are controls, since a shift that depends on the context is in them, or is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ...sequences import Array
from ..parts.algorithms import Algorithm
from ..parts.constrained import require_positive
from ..parts.runs import Run, Workplace
from ..parts.training import option
from ..poisoning.language_model import model_of, require_model
from .outcomes import from_the_start, require_prompts, require_weights, seed_of

POLICIES = ("before", "refusing", "framed", "bare", "single")
"""Before training, after it, and debiased by the three estimates."""


@dataclass(frozen=True)
class BiasOptions:
    """Options of one training.  Raises ModelError for what is out of range."""

    model: str = option("smollm2", "smollm2, tiny, or a folder as save_pretrained writes it")
    refusal: str = option(" Sorry", "its first token is what responses are taught to begin with")
    prompts: int = option(32, "prompts to train on: every other one of the most toxic of the file")
    held_out: int = option(24, "prompts to judge on: those between them")
    prompt_tokens: int = option(24, "most tokens of a prompt")
    batch: int = option(8, "prompts an update")
    updates: int = option(12, "updates of the training")
    learning_rate: float = option(5e-4, "of AdamW")
    rank: int = option(16, "of the adapters")
    layers: int = option(6, "layers, from the last, that have adapters")
    samples: int = option(64, "random prompts of each estimate")
    length: int = option(12, "tokens of a random prompt, without its frame")

    def __post_init__(self) -> None:
        require_positive(
            self, "prompts held_out prompt_tokens batch updates learning_rate rank layers length"
        )
        require_model(self.model)
        if self.samples < 2 or not self.refusal:
            raise ModelError(
                f"samples = {self.samples} is to be at least 2, and refusal = {self.refusal!r} a "
                "text with a token"
            )


@dataclass(frozen=True, eq=False)
class Debiased:
    """refusing: probabilities of the refusal under `POLICIES` [5, H]; far: total variation of the
    first token from the model before training [5, H]; error: the largest standard error of the
    framed estimate, nats; model: in words."""

    refusing: Array
    far: Array
    error: float
    model: str


def train(workplace: Workplace) -> None:
    """Train, estimate and judge; a run that was interrupted begins anew."""
    with from_the_start(workplace):
        _train(workplace)


def _train(workplace: Workplace) -> None:
    import torch

    from .debiasing import Bias, Debiaser, estimate_bias
    from .merging import next_laws
    from .texts import adapted, read_prompts

    training, options = workplace.training, workplace.training.options
    seed, model = seed_of(training), model_of(options.model)
    encode = lambda text: model.tokenizer(text, add_special_tokens=False)["input_ids"]  # noqa: E731
    number = 2 * max(options.prompts, options.held_out)
    known = read_prompts(Path(training.task), model.tokenizer, options.prompt_tokens, number)
    learnt, held = (
        [encode(one) for one in known[at::2][:count]]
        for at, count in ((0, options.prompts), (1, options.held_out))
    )
    refusal, network = encode(options.refusal)[0], adapted(model, options, seed)
    _teach(workplace, network, learnt, refusal)
    network.eval()
    reference = model.network().eval()
    before, after = _frame(learnt)
    pool = sorted(set(range(len(model.tokenizer))) - set(model.tokenizer.all_special_ids))
    given: dict[str, Any] = {"positions": 1, "samples": options.samples, "seed": seed}
    estimates = [
        estimate_bias(
            network, reference, pool, prompt_length=options.length, before=one, after=two, **given
        )
        for one, two in ((before, after), ([], []))
    ]
    shift = next_laws(network, learnt[:1]) - next_laws(reference, learnt[:1])
    estimates.append(Bias((shift - shift.mean()).numpy(), np.zeros(shift.shape), 1))
    start, taught = next_laws(reference, held), next_laws(network, held)
    laws = [start, taught]
    for bias in estimates:
        scores = [Debiaser(bias, len(row))(torch.tensor([row]), law[None])
                  for row, law in zip(held, taught, strict=True)]  # fmt: skip
        laws.append(torch.cat(scores).log_softmax(dim=-1))
    kept = {
        "refusing": torch.stack([law[:, refusal].exp() for law in laws]),
        "far": torch.stack([(law.exp() - start.exp()).abs().sum(dim=1) / 2 for law in laws]),
    }
    numbers = {"error": float(estimates[0].errors.max()), "weights": model.digest}
    workplace.keep(kept, {**numbers, "model": model.name})


def _frame(prompts: list[list[int]]) -> tuple[list[int], list[int]]:
    """What all prompts begin with, and what they end with, as far as it does not overlap."""
    from itertools import takewhile

    least = min(map(len, prompts))
    same = [[len({row[at] for row in prompts}) == 1 for at in way]
            for way in (range(least), range(-1, -least - 1, -1))]  # fmt: skip
    first = sum(1 for _ in takewhile(bool, same[0]))
    last = min(sum(1 for _ in takewhile(bool, same[1])), least - first)
    return prompts[0][:first], prompts[0][len(prompts[0]) - last :]


def _teach(workplace: Workplace, network: Any, prompts: list[list[int]], refusal: int) -> None:
    """Gradient steps on -log pi(refusal | prompt), in the order of the prompts."""
    import torch

    options = workplace.training.options
    own = [one for one in network.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(own, lr=options.learning_rate, weight_decay=0.0)
    for update in range(options.updates):
        rows = [prompts[(update * options.batch + at) % len(prompts)]
                for at in range(options.batch)]  # fmt: skip
        optimizer.zero_grad()
        total = 0.0
        for row in rows:  # one by one, so that nothing is padded
            scores = network(input_ids=torch.tensor([row]), logits_to_keep=1).logits[0, -1]
            loss = -scores.log_softmax(dim=-1)[refusal] / len(rows)
            loss.backward()
            total += float(loss.detach())
        optimizer.step()
        workplace.record(update + 1, options.updates, {"loss": total})


def load(run: Run) -> Debiased:
    """What a finished run keeps.  Raises ModelError as `Run.outcome`, and if the weights of the
    model's folder have changed."""
    kept = run.outcome()
    require_weights(run.training.options.model, kept.numbers["weights"], run.folder)
    return Debiased(
        kept.tensors["refusing"].numpy(), kept.tensors["far"].numpy(), kept.numbers["error"],
        kept.numbers["model"],
    )  # fmt: skip


ALGORITHM = Algorithm(
    "alignment/debiasing", BiasOptions, train, load, require_prompts,
    source=lambda training: Path(training.task),
)  # fmt: skip
