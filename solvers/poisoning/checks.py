"""What the labels and weights of N pairs must be, for exact numbers and for floats.

A label is a probability, so that one of -1 or 2 is in another code; a weight is finite and not
negative.  Each check returns the numbers, or raises ModelError with the value, its place and what
to do.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from ..errors import ModelError
from ..exact import Vector

Numbers = TypeVar("Numbers", Vector, np.ndarray[Any, Any])

_LABEL = (
    "a label lies in [0, 1]: 1 where chosen is better, 0 where rejected is, 0.5 for a tie; change "
    "labels -1 and 1 to (1 + label) / 2, and 1 and 2 to what they mean"
)
_WEIGHT = "a weight is finite and not negative; a pair that does not count has the weight 0"


def check_size(numbers: Numbers, size: int, name: str) -> Numbers:
    """One number for each of ``size`` pairs."""
    shape = (len(numbers),) if isinstance(numbers, Vector) else numbers.shape
    if shape != (size,):
        raise ModelError(f"{name} has shape {shape} for {size} pairs; give one number a pair")
    return numbers


def check_labels(labels: Numbers, name: str) -> Numbers:
    """Numbers in [0, 1]."""
    return _in_range(labels, name, 1, _LABEL)


def check_weights(weights: Numbers, name: str, *, some: bool = True) -> Numbers:
    """Finite numbers that are not negative; ``some`` of them must be positive."""
    _in_range(weights, name, math.inf, _WEIGHT)
    if some and not np.any(weights.numerators if isinstance(weights, Vector) else weights):
        raise ModelError(f"{name} are all zero; give some pair a positive weight")
    return weights


def _in_range(numbers: Numbers, name: str, most: float, rule: str) -> Numbers:
    if isinstance(numbers, Vector):
        top = most * numbers.denominator if math.isfinite(most) else most
        wrong = [i for i, value in enumerate(numbers.numerators) if not 0 <= value <= top][:1]
    else:
        wrong = np.flatnonzero(~((numbers >= 0) & (numbers <= most) & (numbers < np.inf)))[:1]
    for i in wrong:
        raise ModelError(f"{name}[{i}] (pair {i + 1}) is {numbers[i]}; {rule}")
    return numbers
