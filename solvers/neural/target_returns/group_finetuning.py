"""Group-relative policy gradients for a decision transformer, on a process that is enumerated.

From each of several reset states, chosen where actions vary, a group of sub-trajectories is rolled
out: some sampled actions, then the likeliest ones to the end.  The ratio is that of the whole
sampled sequence, clipped.  Source: Luo and Zhu 2026, in our formalisation; `labels = "relabelled"`
writes hindsight's returns beside the steps, which the theory says is biased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ..parts.algorithms import Algorithm
from ..parts.constrained import refuse_idle, require_positive
from ..parts.training import Training, option

if TYPE_CHECKING:
    from ...target_returns.groups.process import Past
    from ..parts.runs import Run, Workplace
    from .discrete import ReturnTransformer

TASK = "holdfast/Lotteries-v0"
LABELS = ("intended", "relabelled")
_LARGEST = 20.0
"""Log-ratios are kept within this: exp(20) is far beyond any clip, and exp(800) is no number."""


@dataclass(frozen=True)
class GroupOptions:
    """Options of the fine-tuning; the defaults take about twenty seconds of one core."""

    labels: str = option(
        "intended", "returns beside the steps: intended, or relabelled by hindsight"
    )
    target: int = option(5, "return that the policy is asked for")
    episodes: int = option(300, "recorded episodes of uniform actions, learnt from at first")
    pretraining: int = option(300, "gradient steps on these")
    steps: int = option(40, "updates, each on fresh groups")
    rollouts: int = option(4, "episodes an update in which reset states are looked for")
    resets: int = option(8, "reset states an update")
    group: int = option(8, "sub-trajectories from each")
    sampled: int = option(3, "sampled actions of each; the rest are the likeliest")
    active: bool = option(True, "take reset states in proportion to the variance of the action")
    epochs: int = option(4, "gradient steps on the groups of an update")
    clip: float = option(0.2, "how far the ratio may lie from 1")
    divergence: float = option(0.02, "mean log-ratio at which the steps of an update end")
    learning_rate: float = option(1e-3, "of AdamW")
    width: int = option(32, "units of the transformer's layers")
    layers: int = option(1, "its layers")
    heads: int = option(2, "its heads of attention")

    def __post_init__(self) -> None:
        require_positive(self, "episodes pretraining steps rollouts resets sampled epochs")
        require_positive(self, "divergence learning_rate width layers heads")
        if self.labels not in LABELS:
            raise ModelError(f"labels = {self.labels!r}; give one of {', '.join(LABELS)}")
        if self.group < 2 or not 0 < self.clip < 1:
            raise ModelError(
                f"group = {self.group} must be at least 2, for a group of one is its own baseline, "
                f"and clip = {self.clip} between 0 and 1"
            )
        if self.epochs == 1:  # the ratio is 1 in the first step
            refuse_idle(self, "clip divergence", "epochs = 1")
        if self.sampled > 3:
            raise ModelError(
                f"sampled = {self.sampled}, but an episode has 3 actions; give 3 to sample them all"
            )
        if not 0 <= self.target <= 9 or self.width % self.heads:
            raise ModelError(
                f"target = {self.target} must be a return from 0 to 9, and width = {self.width} a "
                f"multiple of heads = {self.heads}"
            )


def check(training: Training) -> None:
    """Raises ModelError for another task than the one process that is enumerated."""
    if training.task != TASK:
        raise ModelError(f"the task is {training.task!r}; fine-tuning is measured on {TASK} alone")


def roll(
    network: ReturnTransformer | None, starts: Sequence[tuple[Past, int]], target: int,
    sampled: int, stream: np.random.Generator,
) -> list[Past]:  # fmt: skip
    """Episodes from paths and the states that they lead to; without a network actions are even.

    sampled: how many actions of each are sampled; the rest are the likeliest.
    """
    import torch

    from .lotteries import LOTTERIES, STEPS, beside, steps_of

    paths, states = [list(past) for past, _ in starts], [state for _, state in starts]
    begun = [len(past) for past in paths]
    while going := [row for row, path in enumerate(paths) if len(path) < STEPS]:
        seen = [(*paths[row], (states[row], 0, 0)) for row in going]
        laws = np.full((len(going), STEPS, 2), 0.5)
        if network is not None:
            with torch.no_grad():
                steps = steps_of(seen, beside(seen, target))
                laws = network(steps)[1].double().softmax(dim=-1).numpy()
        for at, row in enumerate(going):
            law = laws[at, len(paths[row])]
            free = len(paths[row]) - begun[row] < sampled
            action = int(stream.random() < law[1]) if free else int(law.argmax())
            outcomes = LOTTERIES.outcomes[states[row]][action]
            drawn = stream.choice(len(outcomes), p=[float(p) for p, _, _ in outcomes])
            _, reward, to = outcomes[drawn]
            paths[row].append((states[row], action, reward))
            states[row] = to
    return [tuple(path) for path in paths]


def _pretrained(training: Training, stream: np.random.Generator) -> ReturnTransformer:
    """Imitates uniform actions given the returns that followed."""
    from .discrete import imitate, seeded_network
    from .lotteries import beside, steps_of

    options: GroupOptions = training.options
    network = seeded_network(training.seed, **sizes(options))
    data = roll(None, [((), 0)] * options.episodes, 0, 3, stream)
    seen = steps_of(data, beside(data, 0, relabel=True))
    for _ in imitate(
        network, seen, steps=options.pretraining, batch=64, rate=options.learning_rate,
        seed=training.seed,
    ):  # fmt: skip
        pass
    return network


def sizes(options: GroupOptions) -> dict[str, Any]:
    """What the network is built with."""
    shape = {"states": 6, "actions": (2,), "bins": 10, "context": 3, "steps": 3}
    return {**shape, "width": options.width, "layers": options.layers, "heads": options.heads}


def _resets(
    network: ReturnTransformer, options: GroupOptions, stream: np.random.Generator
) -> list[tuple[Past, int]]:
    """Paths to reset states of fresh episodes, drawn by the variance of the action there."""
    import torch

    from .lotteries import beside, log_chances

    paths = roll(network, [((), 0)] * options.rollouts, options.target, 3, stream)
    with torch.no_grad():
        found = log_chances(network, paths, beside(paths, options.target))
    p = found.exp().numpy().ravel()
    places = [(path[:t], path[t][0]) for path in paths for t in range(len(path))]
    weights = p * (1 - p) + 1e-12 if options.active else np.ones(len(p))
    chosen = stream.choice(len(places), options.resets, p=weights / weights.sum())
    return [places[at] for at in chosen]


def _update(
    network: ReturnTransformer, optimizer: Any, options: GroupOptions, stream: np.random.Generator
) -> None:
    """One update: groups from reset states, then clipped steps on them."""
    import torch

    from ...target_returns.groups.advantages import group_advantages
    from .lotteries import beside, log_chances

    starts = [one for one in _resets(network, options, stream) for _ in range(options.group)]
    paths = roll(network, starts, options.target, options.sampled, stream)
    earned = [
        sum(r for _, _, r in path[len(s[0]) :]) for path, s in zip(paths, starts, strict=True)
    ]
    advantage = torch.from_numpy(
        group_advantages(np.reshape(earned, (options.resets, options.group))).ravel()
    )
    first = torch.tensor([len(past) for past, _ in starts])[:, None]
    at = torch.arange(len(paths[0]))
    counted = (at >= first) & (at < first + options.sampled)
    written = beside(paths, options.target, relabel=options.labels == "relabelled")
    with torch.no_grad():
        old = (log_chances(network, paths, written) * counted).sum(dim=1)
    for _ in range(options.epochs):
        new = (log_chances(network, paths, written) * counted).sum(dim=1)
        if (old - new).mean() > options.divergence:
            break
        ratio = (new - old).clamp(-_LARGEST, _LARGEST).exp()
        kept = ratio.clamp(1 - options.clip, 1 + options.clip)
        loss = -torch.minimum(ratio * advantage, kept * advantage).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _measured(network: ReturnTransformer, target: int) -> dict[str, float]:
    """Exact return; how far the relabelled estimate is from the gradient, as a share of it, and the
    cosine of the two."""
    from .lotteries import expected_estimate, expected_return

    right, wrong = (expected_estimate(network, target, relabel=r) for r in (False, True))
    size = float(right.norm()) or 1.0
    return {
        "return": expected_return(network, target).item(),
        "bias": float((wrong - right).norm()) / size,
        "cosine": float(right @ wrong) / (size * (float(wrong.norm()) or 1.0)),
    }


def train(workplace: Workplace) -> None:
    """Pretrain, fine-tune, and keep both networks; after each update exact numbers are recorded."""
    from torch.optim import AdamW

    from ..parts.checkpoints import named
    from ..parts.on_policy import one_thread

    training = workplace.training
    options: GroupOptions = training.options
    workplace.resume()
    stream = np.random.Generator(np.random.Philox(key=training.seed))
    with one_thread():
        network = _pretrained(training, stream)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        first = _measured(network, options.target)
        optimizer = AdamW(network.parameters(), lr=options.learning_rate)
        for update in range(1, options.steps + 1):
            _update(network, optimizer, options, stream)
            workplace.record(update, options.steps, _measured(network, options.target))
    tensors = {**named("before", before), **named("after", network.state_dict())}
    workplace.keep(tensors, {"first": first})


@dataclass(frozen=True, eq=False)
class Finetuned:
    """Networks before and after; first: exact numbers before the first update."""

    before: ReturnTransformer
    after: ReturnTransformer
    first: Mapping[str, float]


def load(run: Run) -> Finetuned:
    """Both networks.  Raises ModelError as `Run.outcome`."""
    from ..parts.checkpoints import part
    from .discrete import seeded_network

    saved = run.outcome()
    networks = []
    for name in ("before", "after"):
        network = seeded_network(0, **sizes(run.training.options))
        network.load_state_dict(part(name, saved.tensors))
        networks.append(network.eval())
    return Finetuned(networks[0], networks[1], saved.numbers["first"])


ALGORITHM = Algorithm("target_returns/group-finetuning", GroupOptions, train, load, check)
