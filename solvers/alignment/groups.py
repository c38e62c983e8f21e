"""What updates from groups of samples do in expectation, by going through all groups.

One prompt, responses [Y] with policy and rewards; a group is of G independent responses.  Gradients
[Y] are by the logits of a softmax policy, in the direction of ascent, so that the score of response
y is (indicator of y) - policy.  Fractions give Fractions, floats floats; where a standard deviation
is asked for, Fractions give balls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .autoregressive import History, LanguageTable
from .best_of_n import alike, groups
from .checks import check_choice, check_count, check_flag, laws, real, reals, same_kind
from .tilts import beside, ready

BASELINES = ("mean", "leave-one-out", "none")
ESTIMATORS = ("k1", "k2", "k3")
_FULL = "its log-ratio is infinite"


def advantages(
    rewards: Array, *, baseline: str = "mean", scaled: bool = False, epsilon: Any = 0
) -> Array:
    """Advantages [G] of a group's rewards [G].

    baseline: the group's mean (GRPO), the mean of the others (RLOO) or none; scaled: whether they
    are divided by the group's standard deviation, with G - 1 as its denominator, plus `epsilon`;
    where all rewards are the same they are 0.  Raises ModelError for another baseline, rewards that
    are not finite, a negative epsilon, an epsilon without scale, and for a group of one that has
    none other to be compared with.
    """
    _check_options(baseline, scaled, epsilon)
    return _advantages(reals(rewards, "rewards", axes=1), baseline, scaled, epsilon)


def _check_options(baseline: str, scaled: bool, epsilon: Any) -> None:
    check_choice(baseline, "baseline", BASELINES)
    check_flag(scaled, "scaled")
    real(epsilon, "epsilon", least=0)
    if epsilon != 0 and not scaled:
        raise ModelError(f"epsilon is {epsilon}, which has no effect unless scaled is True")


def _advantages(rewards: Array, baseline: str, scaled: bool, epsilon: Any) -> Array:
    size = len(rewards)
    if size < 2 and (scaled or baseline != "none"):
        raise ModelError(f"a group of {size} has nothing to compare with; take at least 2")
    mean = rewards.sum() / size
    others = (rewards.sum() - rewards) / max(size - 1, 1)
    level = {"mean": mean, "leave-one-out": others, "none": rewards * 0}[baseline]
    found: Array = rewards - level
    if not scaled:
        return found
    if (rewards == rewards[0]).all():
        return ready(found) * 0
    away = ready(rewards - mean)
    variance = (away * away).sum() / (size - 1)
    return ready(found) / (np.sqrt(np.array([variance])) + beside(ready(found), epsilon))


def expected_update(
    policy: Array,
    rewards: Array,
    size: int,
    *,
    baseline: str = "mean",
    scaled: bool = False,
    epsilon: Any = 0,
) -> Array:
    """E of the mean over a group of advantage times score, [Y]; options as for `advantages`.

    Raises ModelError for a policy that is no law, other shapes, and as `advantages` does.
    """
    policy, rewards = alike(policy, rewards)
    _check_options(baseline, scaled, epsilon)
    check_count(size, "size of a group", 1 if baseline == "none" and not scaled else 2)
    policy = ready(policy) if scaled else policy
    weight = [policy[0] * 0] * len(policy)
    for group, chance in groups(policy, size):
        found = _advantages(rewards[list(group)], baseline, scaled, epsilon)
        for y, advantage in zip(group, found, strict=True):
            weight[y] = weight[y] + chance * advantage
    pulled = np.array(weight) / size
    total: Array = pulled - policy * pulled.sum()
    return total


def gradient(policy: Array, rewards: Array) -> Array:
    """The gradient of E r, [Y]: policy times (r - E r), for one kind of numbers.  Unchecked."""
    found: Array = policy * (rewards - (policy * rewards).sum())
    return found


def _log_ratio(policy: Array, reference: Array) -> tuple[Array, Array, Array]:
    policy = laws(policy, "policy", axes=1, full=_FULL)
    reference = laws(reference, "reference", shape=policy.shape, full=_FULL)
    same_kind({"policy": policy, "reference": reference})
    p, q = ready(policy), ready(reference)
    return p, q, np.log(p / q)


def reverse_gradient(policy: Array, reference: Array) -> Array:
    """The gradient of KL(policy | reference), [Y]."""
    p, _, ratios = _log_ratio(policy, reference)
    return gradient(p, ratios)


def forward_gradient(policy: Array, reference: Array) -> Array:
    """The gradient of KL(reference | policy), [Y]: policy - reference."""
    found: Array = policy - reference
    return found


def estimates(policy: Array, reference: Array, estimator: str) -> Array:
    """k1 = -d, k2 = d^2/2 or k3 = e^d - d - 1 of each response, d = log(reference/policy), [Y].

    Raises ModelError for another estimator, for what is no law, and for a probability of 0.
    """
    p, q, ratios = _log_ratio(policy, reference)
    check_choice(estimator, "estimator", ESTIMATORS)
    kinds = {"k1": ratios, "k2": ratios * ratios / 2, "k3": q / p + ratios - 1}
    return kinds[estimator]


def estimator_gradient(
    policy: Array, reference: Array, estimator: str, *, ratio: bool = False
) -> Array:
    """The expected gradient of an estimator of KL in a loss, on the policy's own samples, [Y].

    ratio: whether it is multiplied by policy/(policy that sampled), which is 1 and has a gradient.
    Raises ModelError as `estimates` does.
    """
    check_flag(ratio, "ratio")
    p, q, ratios = _log_ratio(policy, reference)
    found = estimates(policy, reference, estimator)
    slopes = {"k1": p * 0 + 1, "k2": ratios, "k3": 1 - q / p}[estimator]
    weights = p * (slopes + (found if ratio else 0))
    total: Array = weights - p * weights.sum()
    return total


def score_weighted(
    table: LanguageTable, numbers: Mapping[History, Sequence[Any]]
) -> dict[History, Array]:
    """sum over sequences of P times number [T] at its tokens times score, by logits of histories.

    numbers: sequence -> a number for each of its tokens, which weights that token's score.
    """
    found = {history: table.laws[history] * 0 for history in table.histories}
    for sequence in table.sequences:
        chance = table.probability(sequence)
        for t, token in enumerate(sequence):
            history = sequence[:t]
            pulled = chance * numbers[sequence][t]
            found[history] = found[history] - pulled * table.laws[history]
            found[history][token] = found[history][token] + pulled
    return found


def token_divergences(
    table: LanguageTable, reference: LanguageTable, sequence: Sequence[int]
) -> list[Any]:
    """KL of the laws of the next token after each proper beginning of a sequence."""
    return [
        _divergence(table.laws[tuple(sequence[:t])], reference.laws[tuple(sequence[:t])])
        for t in range(len(sequence))
    ]


def _divergence(law: Array, other: Array) -> Any:
    p, _, ratios = _log_ratio(law, other)
    return (p * ratios).sum()
