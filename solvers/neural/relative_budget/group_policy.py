"""TRL's group-relative trainer on locks, and what each of its updates was expected to gain."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from trl import GRPOTrainer

from ..parts.trainer_checkpoints import mark_whole
from ..parts.training import TrainingError
from .laws import expected_group, masses, mean_reward
from .locks import Locks, first_completion, progress, rollouts


class LockTrainer(GRPOTrainer):  # type: ignore[misc]
    """TRL's, for a network that sees the prompt and the steps that are open."""

    locks: Locks

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor, logits_to_keep: int, **_: Any
    ) -> tuple[Tensor, Tensor, None]:
        tokens = input_ids[:, -logits_to_keep:]
        width = self.locks.prompts.shape[1]
        prompts = input_ids[:, :-logits_to_keep][:, -width:]
        which = (prompts[:, None] == self.locks.prompts).all(-1).long().argmax(dim=1)
        laws = self.locks.log_laws()
        rows = laws[which[:, None], progress(tokens, self.locks.secret)]
        entropies = -(rows.exp() * rows).sum(-1).detach()
        return rows.gather(2, tokens[..., None])[..., 0], entropies, None


@dataclass
class Seen:
    """What the rollouts of one update showed; one entry a rollout."""

    which: list[int] = field(default_factory=list)
    tokens: list[list[int]] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    horizons: list[int] = field(default_factory=list)


@dataclass
class Session:
    """One training: the locks, how they are rolled out and rewarded, and what was seen last.

    horizons: the horizon of each lock for the next rollouts, at most `horizon`.
    """

    locks: Locks
    horizon: int
    group: int
    verify: str
    rate: float
    horizons: Callable[[], list[int]]
    seen: Seen = field(default_factory=Seen)

    def roll(self, prompts: list[str], _: Any) -> dict[str, Any]:
        """For the trainer: completions of the prompts, drawn from the law of the network."""
        which = [self.locks.names.index(name) for name in prompts]
        with torch.no_grad():
            laws = self.locks.log_laws()
        limits = self.horizons()
        tokens = rollouts(laws, which, limits, self.locks.secret)
        self.seen = Seen(which, tokens, [], limits)
        ids = [self.locks.prompts[x].tolist() for x in which]
        return {"prompt_ids": ids, "completion_ids": tokens, "logprobs": None}

    def reward(self, completion_ids: list[list[int]], **_: Any) -> list[float | None]:
        """For the trainer: (H - T + 1) 1{T <= H}, or what a control puts in its place."""
        secret = self.locks.secret.tolist()
        if self.verify == "early":  # a wrong verifier: content before the last step is open
            secret = secret[:-1]
        found = []
        for x, tokens in zip(self.seen.which, completion_ids, strict=True):
            t = first_completion(tokens, secret)
            found.append(0.0 if t is None else self.seen.horizons[x] - t + 1.0)
        self.seen.rewards = found
        return [*(_shuffled(found, self.group) if self.verify == "shuffled" else found)]

    def before(self) -> Before:
        """What the next update is expected to do, from the law of the network as it is."""
        network, limits = self.locks.network, self.horizons()
        parameters = list(network.parameters())
        chances = self.locks.step_chances()
        expected = [
            expected_group(
                masses(chances[x : x + 1], limits[x])[0], self.group,
                shuffled=self.verify == "shuffled",
            )
            for x in range(len(limits))
        ]  # fmt: skip
        value = mean_reward(chances, self.horizon).mean()
        surrogate = torch.stack([one.surrogate for one in expected]).mean()
        uphill = _gradient(value, parameters)
        update = [self.rate / self.horizon * one for one in _gradient(surrogate, parameters)]
        start = [one.detach().clone() for one in parameters]
        slope = _along(uphill, update)
        with torch.no_grad():
            for one, move in zip(parameters, update, strict=True):
                one.add_(move)
            gain = float(mean_reward(self.locks.step_chances(), self.horizon).mean() - value)
            for one, old in zip(parameters, start, strict=True):
                one.copy_(old)
        equal = sum(one.equal for one in expected) / len(expected)
        return Before(chances.detach(), float(value), start, uphill, slope, gain, equal)

    def after(self, before: Before) -> dict[str, float]:
        """The line of an update: what it was expected to do, and what it did."""
        with torch.no_grad():
            value = mean_reward(self.locks.step_chances(), self.horizon).mean()
        moved = [
            new.detach() - old
            for new, old in zip(self.locks.network.parameters(), before.start, strict=True)
        ]
        limits = [self.seen.horizons[x] for x in self.seen.which]
        solved = [t for t in map(self._length, self.seen.tokens) if t is not None]
        groups = torch.tensor(self.seen.rewards).view(-1, self.group)
        line = {
            "mean_reward": before.value, "gain": float(value) - before.value,
            "expected_gain": before.gain, "slope": _along(before.uphill, moved),
            "expected_slope": before.slope,
            "equal": float((groups == groups[:, :1]).all(dim=1).double().mean()),
            "expected_equal": before.equal, "reward": float(groups.mean()),
            "tokens": float(sum(map(len, self.seen.tokens))), "solved": float(len(solved)),
            "solved_tokens": float(sum(solved)), "rollouts": float(len(limits)),
            "horizons": sum(limits) / len(limits),
        }  # fmt: skip
        for x, row in enumerate(before.chances.tolist()):
            mine = [t for y, t in zip(self.seen.which, self.seen.tokens, strict=True) if y == x]
            line |= {f"chance {x}.{j}": chance for j, chance in enumerate(row)}
            line |= {f"spent {x}": float(sum(map(len, mine)))}
            line |= {f"opened {x}": float(sum(map(self._opened, mine)))}
        return line

    def _length(self, tokens: list[int]) -> int | None:
        return first_completion(tokens, self.locks.secret.tolist())

    def _opened(self, tokens: list[int]) -> int:
        secret, opened = self.locks.secret.tolist(), 0
        for token in tokens:
            opened += opened < len(secret) and token == secret[opened]
        return opened


@dataclass(frozen=True)
class Before:
    """The policy before an update.  chances: float64[N, K]; start: its parameters; uphill: the
    gradient of J; slope: uphill times the expected update; gain: what J gains by the expected
    update; equal: expected share of groups whose rewards agree."""

    chances: Tensor
    value: float
    start: list[Tensor]
    uphill: Sequence[Tensor]
    slope: float
    gain: float
    equal: float


def watch(
    before: Callable[[int], Any],
    after: Callable[[Any], dict[str, float]],
    gained: str,
    record: Callable[[int, int, dict[str, float]], None],
) -> Any:
    """A callback of the trainer that records each update; TrainingError at what is not finite.

    before: of the updates done so far; after: of what `before` gave; gained: what the gain is of.
    """
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.before = before(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            line = after(self.before)
            if not math.isfinite(line["gain"]):
                raise TrainingError(
                    f"the {gained} after update {state.global_step} is not finite; the last "
                    "checkpoint is kept: give a smaller learning_rate"
                )
            record(state.global_step, state.max_steps, line)

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            mark_whole(args, state)

    return Watch()


def _gradient(value: Tensor, parameters: list[Tensor]) -> Sequence[Tensor]:
    return torch.autograd.grad(value, parameters, retain_graph=True)


def _along(first: Sequence[Tensor], second: Sequence[Tensor]) -> float:
    return float(sum((a * b).sum() for a, b in zip(first, second, strict=True)))


def _shuffled(rewards: list[float], group: int) -> list[float]:
    """Permuted evenly within each group, so that what a rollout gets says nothing about it."""
    rows = torch.tensor(rewards).view(-1, group)
    order = torch.rand(rows.shape).argsort(dim=1)
    return [float(x) for x in rows.gather(1, order).flatten()]
