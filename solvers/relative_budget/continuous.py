"""Token processes with a density: Gamma, log-normal and Weibull laws of T, in floats.

Expectations of T^k on {T <= H} are closed forms, so no integral is computed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import scipy  # its parts are loaded when they are used

from ..errors import ModelError

Floats = np.ndarray


@lru_cache(maxsize=256)
def _frozen(name: str, first: float, second: float) -> Any:
    """scipy's law; kept, since to make one takes longer than to ask it."""
    if name == "Gamma":
        return scipy.stats.gamma(first, scale=1 / second)
    if name == "Weibull":
        return scipy.stats.weibull_min(first, scale=second)
    return scipy.stats.lognorm(second, scale=math.exp(first))


class _Density(ABC):
    """What the laws have in common; lengths are in tokens, arrays float64[N]."""

    __slots__ = ()
    discrete: ClassVar[bool] = False
    shortest: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            value, signed = getattr(self, field.name), field.name == "log_mean"
            if not (math.isfinite(value) and (value > 0 or signed)):
                raise ModelError(
                    f"{field.name} of {type(self).__name__} is {value}; it must be a finite number"
                    + ("" if signed else " above 0")
                )

    @property
    def _law(self) -> Any:
        return _frozen(type(self).__name__, *astuple(self))  # type: ignore[call-overload]

    @property
    def mean(self) -> float:
        """E T, in tokens."""
        return float(self._law.mean())

    @property
    def std(self) -> float:
        """The standard deviation of T, in tokens."""
        return float(self._law.std())

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t]."""
        return np.asarray(self._law.cdf(t))

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], without cancellation."""
        return np.asarray(self._law.sf(t))

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u."""
        return np.asarray(self._law.ppf(u))

    @abstractmethod
    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}."""


@dataclass(frozen=True, slots=True)
class Gamma(_Density):
    """T of density proportional to t^(shape - 1) exp(-rate t); mean shape/rate.

    Raises ModelError for a parameter that is not positive and finite.
    """

    shape: float
    rate: float

    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}."""
        rising = math.prod((self.shape + i) / self.rate for i in range(order))
        return rising * float(scipy.special.gammainc(self.shape + order, self.rate * horizon))


@dataclass(frozen=True, slots=True)
class LogNormal(_Density):
    """T = exp(log_mean + log_std Z) of a standard Gaussian Z.

    Raises ModelError for a `log_std` that is not positive, or a parameter that is not finite.
    """

    log_mean: float
    log_std: float

    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}."""
        score = (math.log(horizon) - self.log_mean) / self.log_std - order * self.log_std
        return (
            float(self._law.moment(order) * scipy.special.ndtr(score))
            if order
            else float(scipy.special.ndtr(score))
        )


@dataclass(frozen=True, slots=True)
class Weibull(_Density):
    """Pr[T > t] = exp(-(t/scale)^shape).

    Raises ModelError for a parameter that is not positive and finite.
    """

    shape: float
    scale: float

    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}."""
        power = 1 + order / self.shape
        share = float(scipy.special.gammainc(power, (horizon / self.scale) ** self.shape))
        return self.scale**order * math.gamma(power) * share
