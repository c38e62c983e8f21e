"""A loss of anyone's, as a torch function, on batches so small that their law is enumerated.

A loss takes a batch, a mapping, and returns a scalar tensor; `auditing` never looks into it.

Groups (kind "group", the default), of N responses of at most T tokens out of V, in float64:
``logits`` [N, T, V] of the policy, ``tokens`` [N, T], ``mask`` [N, T], ``logps`` [N, T] of the
tokens, which carry the gradient as `logits` do, ``old_logps`` of the sampler, ``ref_logps`` of the
reference, ``ref_logits``, ``rewards`` [N] or [N, R], ``groups`` [N], from 0, rows of one group
beside each other; and of the whole batch that this one is a part of ``ranks`` (processes, over
which the framework averages), ``accumulation`` (parts, one after the other, over which it averages
too), ``all_tokens`` and ``all_sequences``.
Pairs (kind "preference"): ``chosen_logps``, ``rejected_logps``, ``ref_chosen_logps``,
``ref_rejected_logps``, ``chosen_mask``, ``rejected_mask``, all [N, T].

Attributes, all optional: ``kind``, ``group_size`` (4), ``beta``, ``multiplier``, ``rewards`` (1, or
2 for a mixture), ``accumulate`` ("mean" or "sum": what the framework does with the parts),
``reference(stage, policies)``, which returns the reference of a stage out of the policies so far,
``partial_groups`` (whether a group may have lost a row), and
``log_probabilities(logits, tokens, temperature)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ...alignment.audits.trainers import (
    ROUNDINGS,
    Finding,
    examine_groups,
    examine_mixture,
    examine_pairs,
    stated,
)
from ...errors import ModelError
from ...sequences import Array

_UNITS = {torch.float64: 2.0**-53, torch.float32: 2.0**-24, torch.bfloat16: 2.0**-8,
          torch.float16: 2.0**-11}  # fmt: skip
_LENGTHS = (1, 4, 3, 2, 2, 1, 4, 4, 3, 4, 1, 1, 1, 2, 2, 3)
"""Tokens of responses: different in each half of a batch, and of responses with the same reward, so
that every weight by length shows."""
_GROUPS = "where 0 is a loss without divergence, or leave it out"
_PAIRS = "since a loss on pairs ends at a tilt by r/beta, or leave it out"
_PAIR_LENGTHS = (2, 4)
"""Tokens of the chosen and the rejected response, for the same reason."""
_WORDS = 5
"""Size of the vocabulary of these batches."""


class Loss:
    """A loss with what it says of itself; a `Subject` of the solvers' auditor.

    Raises ModelError for what is neither a function nor has one, or a kind that is none.
    """

    def __init__(self, made: Any) -> None:
        call = getattr(made, "loss", made)
        if not callable(call):
            raise ModelError(
                f"the factory returned something of type {type(made).__name__}; it must return a "
                "function of a batch, or an object with a method loss(batch)"
            )
        self._call: Callable[[dict[str, Any]], Any] = call
        self.made = made
        self.kind: str = getattr(made, "kind", "group")
        self.group_size: int = getattr(made, "group_size", 4)
        self.rewards: int = getattr(made, "rewards", 1)
        self.unit = _UNITS[torch.float64]
        if self.kind not in ("group", "preference"):
            raise ModelError(f"kind is {self.kind!r}; give 'group' or 'preference'")
        pairs = self.kind == "preference"
        least, words = ("above 0", _PAIRS) if pairs else ("of 0 or more", _GROUPS)
        self.beta = stated(getattr(made, "beta", None), "beta", least, words)
        self.multiplier = stated(
            getattr(made, "multiplier", None), "multiplier", least, "or leave it out"
        )
        if not isinstance(self.group_size, int) or not 2 <= self.group_size <= 6:
            raise ModelError(
                f"group_size is {self.group_size!r}; all groups are enumerated, so that it must be "
                "a whole number from 2 to 6"
            )
        if self.rewards not in (1, 2):
            raise ModelError(f"rewards is {self.rewards!r}; mixtures of 1 or 2 rewards are known")

    def __call__(self, batch: dict[str, Any]) -> torch.Tensor:
        """The loss; raises ModelError for what is no finite number with a gradient."""
        found = self._call(batch)
        if not isinstance(found, torch.Tensor) or found.numel() != 1:
            shown = f"something of type {type(found).__name__}"
            if isinstance(found, torch.Tensor):
                shown = f"a tensor of {' x '.join(map(str, found.shape))} numbers"
            raise ModelError(f"the loss of a batch is {shown}; it must be a tensor of one number")
        if not torch.isfinite(found).all():
            raise ModelError(f"the loss of a batch is {found.item()}; it must be finite")
        self.unit = max(self.unit, _UNITS.get(found.dtype, 0.0))
        return found.reshape(())

    def group(self, policy: Array, reference: Array, rewards: Array, drawn: Sequence[int]) -> Array:
        """The gradient in the logits on one group of responses of one token."""
        logits = torch.tensor(np.log(policy), requires_grad=True)
        tokens = torch.tensor([[k] for k in drawn])
        near = torch.tensor(np.log(reference))
        values = torch.tensor(np.asarray(rewards, dtype=float)[list(drawn)])
        if self.rewards == 2 and values.ndim == 1:
            values = torch.stack([values, torch.zeros_like(values)], dim=1)
        size = len(drawn)
        batch = batch_of(
            logits.expand(size, 1, -1), near.expand(size, 1, -1), tokens, [1] * size, values, size
        )
        return self._slope(batch, logits)

    def pair(self, policy: Array, reference: Array, chosen: int, rejected: int) -> Array:
        """The gradient in the logits on one pair of responses of one token."""
        logits = torch.tensor(np.log(policy), requires_grad=True)
        logps, near = torch.log_softmax(logits, -1), torch.tensor(np.log(reference))
        batch: dict[str, Any] = {}
        for name, k in (("chosen", chosen), ("rejected", rejected)):
            batch[f"{name}_logps"] = logps[k].reshape(1, 1)
            batch[f"ref_{name}_logps"] = near[k].reshape(1, 1)
            batch[f"{name}_mask"] = torch.ones(1, 1, dtype=torch.float64)
        return self._slope(batch, logits)

    def _slope(self, batch: dict[str, Any], logits: torch.Tensor) -> Array:
        loss = self(batch)
        if not loss.requires_grad:
            return np.zeros(len(logits))
        (slope,) = torch.autograd.grad(loss, logits, allow_unused=True)
        return np.zeros(len(logits)) if slope is None else slope.numpy()


def batch_of(
    logits: torch.Tensor, near: torch.Tensor, tokens: torch.Tensor, lengths: Sequence[int],
    rewards: torch.Tensor, size: int,
) -> dict[str, Any]:  # fmt: skip
    """A batch of groups of `size` rows, as the head of this file says."""
    logps, ref = (
        torch.log_softmax(x, -1).gather(-1, tokens[..., None])[..., 0] for x in (logits, near)
    )
    number, longest = tokens.shape
    mask = torch.tensor([[float(t < n) for t in range(longest)] for n in lengths]).double()
    return {
        "logits": logits, "ref_logits": near, "tokens": tokens, "mask": mask, "logps": logps,
        "old_logps": logps.detach(), "ref_logps": ref, "rewards": rewards,
        "groups": torch.arange(number) // size, "ranks": 1, "accumulation": 1,
        "all_tokens": int(sum(lengths)), "all_sequences": number,
    }  # fmt: skip


def examine(loss: Loss) -> list[Finding]:
    """Everything that can be said of a loss."""
    if loss.kind == "preference":
        return [*examine_pairs(loss), _pair_lengths(loss), *_hooks(loss)]
    found = examine_groups(loss)
    if loss.rewards == 2:
        found.append(examine_mixture(loss))
    return [*found, *_tokens(loss), *_shards(loss), *_partial(loss), *_hooks(loss)]


def _long_batch(loss: Loss, groups: int = 4) -> dict[str, Any]:
    """Groups of responses of unequal lengths, whose numbers come from sines, never from chance."""
    size = loss.group_size
    number, longest = groups * size, max(_LENGTHS)
    wave = torch.sin(torch.arange(number * longest * _WORDS * 2).double())
    logits, near = (x.reshape(number, longest, _WORDS) for x in wave.chunk(2))
    tokens = (torch.arange(number * longest) * 7 // 3 % _WORDS).reshape(number, longest)
    lengths = [_LENGTHS[k % len(_LENGTHS)] for k in range(number)]
    rewards = torch.tensor([float(k % size % 2) for k in range(number)]).double()
    if loss.rewards == 2:
        rewards = torch.stack([rewards, 1 - rewards * 0.5], dim=1)
    return batch_of(logits, near, tokens, lengths, rewards, size)


def _tokens(loss: Loss) -> Iterator[Finding]:
    """What each token weighs: slopes in the log-probabilities of rows with the same advantage."""
    batch = _long_batch(loss, 1)
    batch["ref_logps"] = batch["old_logps"]
    batch["ref_logits"] = batch["logits"]
    logps = batch["logps"] = batch["old_logps"].clone().requires_grad_()
    found = loss(batch)
    slopes = (
        torch.autograd.grad(found, logps, allow_unused=True)[0] if found.requires_grad else None
    )
    if slopes is None:
        yield Finding("tokens", "skipped", "SKIPPED: the loss does not use logps, but its own")
        return
    mask = batch["mask"].bool()
    mass = float(slopes.abs().max())
    bound = ROUNDINGS * loss.unit * mass
    padded = float(slopes[~mask].abs().max())
    if padded > bound:
        yield Finding("padding", "counted", "tokens beyond the mask move the loss", padded, bound,
                      True)  # fmt: skip
    rows = batch["rewards"].reshape(len(mask), -1)
    alike = [k for k in range(len(mask)) if bool((rows[k] == rows[1]).all())]
    first = [float(slopes[k, 0]) for k in alike]
    within = max(float((slopes[k][mask[k]] - slopes[k, 0]).abs().max()) for k in alike)
    lengths = [int(mask[k].sum()) for k in alike]
    if mass <= bound or within > bound:
        yield Finding("tokens", "none", "tokens of one response weigh differently", within, bound)
        return
    forms = {
        "equal": ("every token of a group weighs the same", [1.0] * len(alike)),
        "by length": (
            "a token weighs one over the length of its response",
            [1 / n for n in lengths],
        ),
    }
    for form, (words, weights) in forms.items():
        factor, off = first[0] / weights[0], 0.0
        off = max(abs(a - factor * w) for a, w in zip(first, weights, strict=True))
        if off <= bound:
            yield Finding("tokens", form, words, off, bound)
            return
    yield Finding("tokens", "none", "tokens weigh neither the same nor by length", mass, bound)


def _pair_lengths(loss: Loss) -> Finding:
    """Whether log-probabilities of a response are summed or averaged."""
    longest = max(_PAIR_LENGTHS)
    batch: dict[str, Any] = {}
    for name, length in zip(("chosen", "rejected"), _PAIR_LENGTHS, strict=True):
        wave = -1 - torch.sin(torch.arange(longest).double()) ** 2
        batch[f"{name}_logps"] = wave.reshape(1, -1).clone().requires_grad_()
        batch[f"ref_{name}_logps"] = wave.reshape(1, -1)
        batch[f"{name}_mask"] = torch.tensor([[float(t < length) for t in range(longest)]]).double()
    names = ("chosen_logps", "rejected_logps")
    slopes = torch.autograd.grad(loss(batch), [batch[n] for n in names], allow_unused=True)
    check = "tokens"
    if any(one is None for one in slopes):
        which = names[[one is None for one in slopes].index(True)]
        return Finding(check, "none", f"{which} do not move the loss", fault=True)
    one, two = (float(x.abs().max()) for x in slopes)
    outside = max(float((x * (1 - batch[f"{n[:-6]}_mask"])).abs().max())
                  for n, x in zip(names, slopes, strict=True))  # fmt: skip
    bound = ROUNDINGS * loss.unit * max(one, two)
    if not bound:
        return Finding(check, "none", "log-probabilities that are the reference's have no slope")
    if outside > bound:
        words = "tokens beyond the mask move the loss"
        return Finding("padding", "counted", words, outside, bound, True)
    share = _PAIR_LENGTHS[1] / _PAIR_LENGTHS[0]
    for form, words, ratio in (
        ("summed", "log-probabilities of a response are summed", 1.0),
        ("averaged", "log-probabilities of a response are averaged over its tokens", share),
    ):
        if abs(one - ratio * two) <= bound:
            return Finding(check, form, words, abs(one - ratio * two), bound)
    return Finding(check, "none", "responses are weighed by no known function of their length")


def _shards(loss: Loss) -> Iterator[Finding]:
    """The loss of one batch, whole and in 2 and 4 parts, side by side and one after the other."""
    whole = _long_batch(loss)
    total = float(loss(whole))
    for key, words in (("ranks", "processes"), ("accumulation", "steps of accumulation")):
        mean = key == "ranks" or getattr(loss.made, "accumulate", "mean") == "mean"
        worst, at = 0.0, 1
        for number in (2, 4):
            losses = [float(loss(part)) for part in _parts(whole, number, key)]
            off = abs(sum(losses) / (number if mean else 1) - total)
            worst, at = max((worst, at), (off, number))
        bound = ROUNDINGS * loss.unit * max(abs(total), worst)
        check = "sharding" if key == "ranks" else "accumulation"
        if worst <= bound:
            yield Finding(check, "invariant", f"the same loss in 1, 2 and 4 {words}", worst, bound)
        else:
            yield Finding(
                check, "none", f"the loss of one batch changes with the number of {words}: by "
                f"{worst:.3g} of {abs(total):.3g} in {at}", worst, bound, True,
            )  # fmt: skip


def _parts(whole: dict[str, Any], number: int, key: str) -> Iterator[dict[str, Any]]:
    rows = len(whole["tokens"]) // number
    for k in range(number):
        part = {
            name: x[k * rows : (k + 1) * rows] if isinstance(x, torch.Tensor) else x
            for name, x in whole.items()
        }
        yield part | {key: number, "groups": part["groups"] - part["groups"].min()}


def _partial(loss: Loss) -> Iterator[Finding]:
    """Whether a group that has lost a row still is a group: the others must not notice."""
    if not getattr(loss.made, "partial_groups", False):
        return
    slopes = []
    for left in (slice(0, None), slice(1, None)):
        batch = _long_batch(loss, 3)
        batch = {k: x[left] if isinstance(x, torch.Tensor) else x for k, x in batch.items()}
        batch["ref_logps"] = batch["old_logps"]
        logps = batch["logps"] = batch["old_logps"].clone().requires_grad_()
        slopes.append(torch.autograd.grad(loss(batch), logps)[0][-2 * loss.group_size :].numpy())
    whole, part = (one.reshape(-1) for one in slopes)
    factor = float(whole @ part) / float(whole @ whole)
    off, bound = float(np.abs(part - factor * whole).max()), ROUNDINGS * loss.unit
    bound *= float(np.abs(part).max())
    words = "a group that has lost a row leaves the others as they were"
    if off > bound:
        words = "a group that has lost a row changes the advantages of the others"
    form = "none" if off > bound else "separate"
    yield Finding("partial groups", form, words, off, bound, off > bound)


def _hooks(loss: Loss) -> Iterator[Finding]:
    """The reference of each stage, and log-probabilities at a temperature."""
    hook = getattr(loss.made, "reference", None)
    if hook is not None:
        policies = [torch.tensor([0.0, 0.1 * k, 0.3 * k]).double() for k in range(4)]
        # stages of two steps each: the policy moves from 0 to 1 in the first, from 2 to 3 then
        for stage, at, wanted in ((0, 2, 0), (1, 4, 2)):
            given = hook(stage, [p.clone() for p in policies[:at]])
            near = [k for k, p in enumerate(policies) if torch.equal(given, p)]
            if near != [wanted]:
                which = {at - 1: "the moving policy itself", 0: "that of the first stage"}.get(
                    near[0] if near else -1, "no policy of the run"
                )
                words = f"the reference of stage {stage + 1} is {which}, not the policy it began at"
                yield Finding("reference", "none", words, 1.0, 0.0, True)
                return
        yield Finding("reference", "frozen", "the reference is the policy that each stage began at")
    hook = getattr(loss.made, "log_probabilities", None)
    if hook is not None:
        yield _temperature(hook, loss)


def _temperature(hook: Callable[..., torch.Tensor], loss: Loss) -> Finding:
    logits = torch.tensor([0.0, 1.0, -0.5, 2.0]).double().expand(4, 4)
    temperature = 0.5
    found = hook(logits, torch.arange(4), temperature)
    total = float(found.exp().sum())
    bound = ROUNDINGS * loss.unit
    right = torch.log_softmax(logits[0] / temperature, -1)
    off = float((found - right).abs().max())
    if off <= bound:
        words = "log-probabilities are those of logits over the temperature"
        return Finding("temperature", "logits over T", words, off, bound)
    words = f"probabilities of all tokens sum to {total:.6g} at temperature {temperature:g}"
    if abs(total - 1) <= bound:
        words = "log-probabilities are those of another temperature than that of the sampler"
    return Finding("temperature", "none", words, off, bound, True)
