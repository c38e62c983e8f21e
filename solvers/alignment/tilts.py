"""Gibbs tilts of a reference policy: the optimum of a reward less a KL divergence, in closed form.

    J(pi) = E f - temperature KL(pi | reference) is largest at reference e^(f/temperature) / Z.

One set of formulas: on arrays of floats they run in log space; on object arrays of Fractions or
arbs in balls at the working precision of `flint.ctx`.  The last axis is responses, the one before
it prompts; axes in front of these are a batch.  KL is averaged over prompts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelError
from ..hypergradient.balls import elementwise, number
from ..sequences import Array


def ready(values: Array) -> Array:
    """Numbers as the formulas take them: rationals as balls, others as floats."""
    found: Array = elementwise(number, values) if values.dtype == object else values.astype(float)
    return found


def beside(array: Array, value: Any) -> Any:
    """A number as the formulas take it beside a ready array: a float or a ball."""
    return number(value) if array.dtype == object else float(value)


def check_temperature(value: Any, name: str = "temperature") -> None:
    """Raises ModelError unless the temperature, or what is named, is positive."""
    if not value > 0:
        raise ModelError(f"{name} is {value}; it must be positive")


def _weights(reference: Any, f: Any, temperature: Any) -> tuple[Array, Array, Any]:
    """reference e^((f - top)/temperature), the tops [.., 1], and the temperature."""
    check_temperature(temperature)
    laws, gains = ready(reference), ready(f)
    heat = beside(laws, temperature)
    if laws.dtype == object:
        return laws * np.exp(gains / heat), gains[..., :1] * 0, heat
    top = np.where(laws > 0, gains, -np.inf).max(axis=-1, keepdims=True)
    return laws * np.exp(np.minimum(gains - top, 0) / heat), top, heat


def log_partition(reference: Array, f: Array, temperature: Any) -> Array:
    """log Z = log sum_y reference e^(f/temperature) of each prompt, [X]."""
    weights, top, heat = _weights(reference, f, temperature)
    found: Array = np.log(weights.sum(axis=-1)) + top[..., 0] / heat
    return found


def tilt(reference: Array, f: Array, temperature: Any) -> Array:
    """The policy reference e^(f/temperature) / Z, [X, Y].

    Ties keep the proportions of the reference; what has probability 0 there keeps it.
    """
    weights, _, _ = _weights(reference, f, temperature)
    found: Array = weights / weights.sum(axis=-1, keepdims=True)
    return found


def mean(prompt_law: Array, policy: Array, f: Array) -> Any:
    """E f over prompts and responses; of rationals a rational."""
    return (prompt_law * (policy * f).sum(axis=-1)).sum(axis=-1)


def divergence(prompt_law: Array, policy: Array, other: Array) -> Any:
    """KL(policy | other), averaged over prompts, in nats.

    Raises
    ------
    ModelError: if the policy gives a response that the other never gives, to a prompt of positive
        probability: the divergence is infinite.
    """
    p, q, law = ready(policy), ready(other), ready(prompt_law)
    used = (p != 0) & (law[..., None] != 0)
    missing = used & (q == 0)
    if missing.any():
        p = np.broadcast_to(p, missing.shape)
        at = tuple(np.argwhere(missing)[0].tolist())
        raise ModelError(
            f"the policy gives response {at[-1]} to prompt {at[-2]} with probability {p[at]}, the "
            "other never does: their divergence is infinite; mix some of the one into the other"
        )
    if not used.all():
        p, q = np.where(used, p, p * 0 + 1), np.where(used, q, p * 0 + 1)
    logs = np.log(p / q) if p.dtype == object else np.log(p) - np.log(q)
    return (law * (p * logs).sum(axis=-1)).sum(axis=-1)


def objective(
    prompt_law: Array, policy: Array, reference: Array, f: Array, temperature: Any
) -> Any:
    """J(policy) = E f - temperature KL(policy | reference)."""
    gain = mean(ready(prompt_law), ready(policy), ready(f))
    return gain - beside(ready(policy), temperature) * divergence(prompt_law, policy, reference)
