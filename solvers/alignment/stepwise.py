"""Alignment in stages: one tilt after the other, and policies merged by averaging logits (SACPO).

Policies are [X, Y], of floats or of rationals, which become balls.  A stage tilts the policy of the
stage before by f over the weight that the KL divergence has in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import flint
import numpy as np

from ..errors import ModelError
from ..sequences import Array, listed
from .checks import check_temperature, fits, laws, real, reals, same_kind
from .multipliers import InfeasibleError, crossing
from .problems import as_printed
from .tilts import beside, mean, ready, tilt, weighted


def stages(policy: Array, tilts: Iterable[tuple[Array, Any]]) -> Array:
    """The policy after all stages: each is (f, weight of the KL divergence to the stage before).

    Raises ModelError as `tilt` does, and for a stage that is no pair.
    """
    policy = laws(policy, "policy")
    for i, stage in enumerate(listed(tilts, "tilts")):
        if len(listed(stage, f"tilts[{i}]")) != 2:
            raise ModelError(f"tilts[{i}] has {len(stage)} entries; give f and a weight")
        f, weight = stage
        real(weight, f"the weight of tilts[{i}]", above=0)
        f = reals(f, f"f of tilts[{i}]")
        policy = tilt(policy, f, weight)
    return policy


def realign(policy: Array, safety: Array, temperature: Any, multiplier: Any) -> Array:
    """The second stage of SACPO: a tilt by safety with weight temperature/multiplier of the KL.

    A multiplier of 0 leaves the stage out.  Raises ModelError for a negative one, and as `tilt`.
    """
    policy, safety = laws(policy, "policy"), reals(safety, "safety")
    fits(safety, "safety", policy, "a policy")
    same_kind({"policy": policy, "safety": safety})
    check_temperature(temperature)
    real(multiplier, "multiplier", least=0)
    if multiplier == 0:
        return policy
    return tilt(policy, safety, beside(policy, temperature) / beside(policy, multiplier))


def merge_logits(policy: Array, other: Array, weight: Any) -> Array:
    """policy^(1 - weight) other^weight, normalised: logits averaged (P-SACPO), [X, Y].

    Raises ModelError for a weight outside [0, 1] and where the supports differ.
    """
    if not (real(weight, "weight") >= 0 and weight <= 1):
        raise ModelError(f"weight is {weight}; a merge has one in [0, 1]")
    direction = _direction(policy, other)
    policy = ready(np.asarray(policy))
    return weighted(policy, direction * beside(policy, weight), 1)


def _direction(policy: Array, other: Array) -> Array:
    """log other - log policy, 0 where both are."""
    policy, other = laws(policy, "policy"), laws(other, "other")
    same_kind({"policy": policy, "other": other})
    one, two = ready(policy), ready(other)
    if one.shape != two.shape:
        raise ModelError(f"policies of shapes {one.shape} and {two.shape} cannot be merged")
    if ((one == 0) != (two == 0)).any():
        x, y = np.argwhere((one == 0) != (two == 0))[0].tolist()
        raise ModelError(
            f"only one of the policies gives response {y} to prompt {x}; logits can be averaged "
            "where both do"
        )
    safe = one == 0
    found: Array = np.log(np.where(safe, one + 1, two)) - np.log(np.where(safe, one + 1, one))
    return found


def smallest_safe_merge(
    prompt_law: Array, policy: Array, conservative: Array, safety: Array, level: Any
) -> flint.arb:
    """The least weight of `conservative` whose merge has mean safety >= level, in a ball.

    Raises
    ------
    InfeasibleError: if the conservative policy is not safe enough itself, saying by how much.
    ModelError: if its log-ratio to the policy is not ordered as safety is, as that of a further
        stage for safety is: mean safety need not increase with the weight then.
    """
    safety = reals(safety, "safety", axes=2)
    prompt_law = laws(prompt_law, "prompt_law", shape=safety.shape[:1])
    policy = laws(policy, "policy", shape=safety.shape)
    conservative = laws(conservative, "conservative", shape=safety.shape)
    for name, one in (("prompt_law", prompt_law), ("policy", policy), ("safety", safety)):
        if one.dtype != object:
            raise ModelError(f"{name} holds floats; give Fractions, as balls enclose the weight")
    direction, gains = _direction(policy, conservative), ready(safety)
    for x, (one, two) in enumerate(zip(direction, gains, strict=True)):
        products = (one[:, None] - one) * (two[:, None] - two)
        if any(product < 0 for product in products.ravel()):
            raise ModelError(
                f"to prompt {x} the conservative policy prefers a less safe response; merges "
                "with it need not become safer with their weight"
            )
    reached = mean(ready(prompt_law), ready(conservative), gains)
    level = real(as_printed(level, "level"), "level")
    excess = ready(level) - reached
    if excess > 0:
        raise InfeasibleError(
            f"the conservative policy has mean safety {reached}, less than level {level} by "
            f"{excess}; use a larger multiplier",
            excess,
        )
    return crossing(prompt_law, policy, direction, safety, level, 1)
