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
from .checks import check_temperature, fits, laws, reals, same_kind
from .problems import as_printed


def ready(values: Any) -> Any:
    """Numbers as the formulas take them, alone or in arrays: exact ones as balls; floats, and
    integers in arrays, as floats."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values.astype(float, copy=False)
    return values if isinstance(values, float) else elementwise(number, values)


def beside(array: Array, value: Any) -> Any:
    """A number as the formulas take it beside a ready array: a float, or a ball, of a float that of
    the decimal that Python prints for it."""
    return number(as_printed(value, "a number")) if array.dtype == object else float(value)


def _weights(base: Any, f: Any, temperature: Any) -> tuple[Array, Array, Any]:
    """base e^((f - top)/temperature), the tops [.., 1], and the temperature; all in one kind."""
    base, gains = ready(base), ready(f)
    heat = beside(base, temperature)
    if base.dtype == object:
        return base * np.exp(gains / heat), gains[..., :1] * 0, heat
    top = np.where(base > 0, gains, -np.inf).max(axis=-1, keepdims=True)
    return base * np.exp(np.minimum(gains - top, 0) / heat), top, heat


def _checked(reference: Any, f: Any, temperature: Any) -> tuple[Array, Array]:
    check_temperature(temperature)
    found, gains = laws(reference, "reference"), reals(f, "f")
    fits(gains, "f", found, "a reference")
    same_kind({"reference": found, "f": gains})
    return found, gains


def log_partition(reference: Array, f: Array, temperature: Any) -> Array:
    """log Z = log sum_y reference e^(f/temperature) of each prompt, [X].

    Raises ModelError as `tilt` does.
    """
    weights, top, heat = _weights(*_checked(reference, f, temperature), temperature)
    found: Array = np.log(weights.sum(axis=-1)) + top[..., 0] / heat
    return found


def tilt(reference: Array, f: Array, temperature: Any) -> Array:
    """The policy reference e^(f/temperature) / Z, [X, Y].

    Ties keep the proportions of the reference; what has probability 0 there keeps it.

    Raises
    ------
    ModelError: for a reference whose rows are no laws, numbers that are not finite, shapes that do
        not fit, floats beside exact numbers, or a temperature that is not positive.
    """
    return weighted(*_checked(reference, f, temperature), temperature)


def weighted(weights: Array, f: Array, temperature: Any) -> Array:
    """The same for weights [X, Y] that need be no laws; nothing is checked, as in inner loops."""
    found, _, _ = _weights(weights, f, temperature)
    normalised: Array = found / found.sum(axis=-1, keepdims=True)
    return normalised


def mean(prompt_law: Array, policy: Array, f: Array) -> Any:
    """E f over prompts and responses; of rationals a rational.

    Raises ModelError for what is no law or not finite, and for shapes that do not fit.
    """
    prompt_law, policy, f = laws(prompt_law, "prompt_law"), laws(policy, "policy"), reals(f, "f")
    fits(f, "f", policy, "a policy")
    _fits_prompts(prompt_law, policy)
    return averaged(prompt_law, policy, f)


def _fits_prompts(prompt_law: Array, policy: Array) -> None:
    if policy.ndim < 2 or prompt_law.shape[-1] != policy.shape[-2]:
        raise ModelError(
            f"prompt_law has shape {prompt_law.shape}, the policy {policy.shape}; give a "
            "probability and a row of responses for each prompt"
        )


def averaged(prompt_law: Array, policy: Array, f: Array) -> Any:
    """The same without checks."""
    return (prompt_law * (policy * f).sum(axis=-1)).sum(axis=-1)


def divergence(prompt_law: Array, policy: Array, other: Array) -> Any:
    """KL(policy | other), averaged over prompts, in nats.

    Raises
    ------
    ModelError: for what is no law, and for shapes that do not fit; if the policy gives a response
        that the other never gives, to a prompt of positive probability: the divergence is infinite.
    """
    policy, other = laws(policy, "policy"), laws(other, "other")
    prompt_law = laws(prompt_law, "prompt_law")
    _fits_prompts(prompt_law, policy)
    fits(other, "other", policy, "a policy")
    return _divergence(ready(prompt_law), ready(policy), ready(other))


def _divergence(law: Array, p: Array, q: Array) -> Any:
    """The same of ready arrays, which are taken for laws that fit."""
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
    """J(policy) = E f - temperature KL(policy | reference).

    Raises ModelError as `mean`, `divergence` and `tilt` do.
    """
    reference, f = _checked(reference, f, temperature)
    prompt_law, policy = laws(prompt_law, "prompt_law"), laws(policy, "policy")
    _fits_prompts(prompt_law, policy)
    fits(f, "f", policy, "a policy")
    fits(reference, "reference", policy, "a policy")
    law, p = ready(prompt_law), ready(policy)
    return averaged(law, p, ready(f)) - beside(p, temperature) * _divergence(
        law, p, ready(reference)
    )
