"""Token processes with a density: Gamma, log-normal and Weibull laws of T, in floats.

Expectations of T^k on {T <= H} are closed forms, so no integral is computed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from scipy.special import gamma as gamma_function
from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv, ndtr, ndtri

from ..errors import ModelError

Floats = np.ndarray


def _positive(process: object) -> None:
    for field in fields(process):  # type: ignore[arg-type]
        value = getattr(process, field.name)
        if not (math.isfinite(value) and (value > 0 or field.name == "log_mean")):
            raise ModelError(
                f"{field.name} of {type(process).__name__} is {value}; it must be a finite number"
                + ("" if field.name == "log_mean" else " above 0")
            )


@dataclass(frozen=True, slots=True)
class Gamma:
    """T of density proportional to t^(shape - 1) exp(-rate t); mean shape/rate.

    Raises ModelError for a parameter that is not positive and finite.
    """

    shape: float
    rate: float
    discrete: ClassVar[bool] = False
    shortest: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _positive(self)

    @property
    def mean(self) -> float:
        """E T, in tokens."""
        return self.shape / self.rate

    @property
    def std(self) -> float:
        """The standard deviation of T, in tokens."""
        return math.sqrt(self.shape) / self.rate

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t], float64[N]."""
        return np.asarray(gammainc(self.shape, self.rate * np.maximum(t, 0)))

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], float64[N], without cancellation."""
        return np.asarray(gammaincc(self.shape, self.rate * np.maximum(t, 0)))

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u, float64[N]."""
        u = np.asarray(u, float)
        upper = gammainccinv(self.shape, np.clip(1 - u, 0, 1))
        return np.where(u < 0.5, gammaincinv(self.shape, u), upper) / self.rate

    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}."""
        k = self.shape
        rising = math.prod((k + i) / self.rate for i in range(order))
        return rising * float(gammainc(k + order, self.rate * horizon))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """T = exp(log_mean + log_std Z) of a standard Gaussian Z.

    Raises ModelError for a `log_std` that is not positive, or a parameter that is not finite.
    """

    log_mean: float
    log_std: float
    discrete: ClassVar[bool] = False
    shortest: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _positive(self)

    @property
    def mean(self) -> float:
        """E T, in tokens."""
        return math.exp(self.log_mean + self.log_std**2 / 2)

    @property
    def std(self) -> float:
        """The standard deviation of T, in tokens."""
        return self.mean * math.sqrt(math.expm1(self.log_std**2))

    def _score(self, t: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return (np.log(np.maximum(t, 0)) - self.log_mean) / self.log_std

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t], float64[N]."""
        return np.asarray(ndtr(self._score(t)))

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], float64[N], without cancellation."""
        return np.asarray(ndtr(-self._score(t)))

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u, float64[N]."""
        return np.asarray(np.exp(self.log_mean + self.log_std * ndtri(u)))

    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}."""
        whole = math.exp(order * self.log_mean + (order * self.log_std) ** 2 / 2)
        return whole * float(ndtr(self._score(np.asarray(horizon)) - order * self.log_std))


@dataclass(frozen=True, slots=True)
class Weibull:
    """Pr[T > t] = exp(-(t/scale)^shape).

    Raises ModelError for a parameter that is not positive and finite.
    """

    shape: float
    scale: float
    discrete: ClassVar[bool] = False
    shortest: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _positive(self)

    @property
    def mean(self) -> float:
        """E T, in tokens."""
        return self.scale * math.gamma(1 + 1 / self.shape)

    @property
    def std(self) -> float:
        """The standard deviation of T, in tokens."""
        return self.scale * math.sqrt(
            math.gamma(1 + 2 / self.shape) - math.gamma(1 + 1 / self.shape) ** 2
        )

    def _hazard(self, t: Floats) -> Floats:
        return (np.maximum(t, 0) / self.scale) ** self.shape

    def cdf(self, t: Floats) -> Floats:
        """Pr[T <= t], float64[N]."""
        return np.asarray(-np.expm1(-self._hazard(t)))

    def tail(self, t: Floats) -> Floats:
        """Pr[T > t], float64[N], without cancellation."""
        return np.asarray(np.exp(-self._hazard(t)))

    def quantile(self, u: Floats) -> Floats:
        """The smallest t with Pr[T <= t] >= u, float64[N]."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.scale * (-np.log1p(-np.asarray(u))) ** (1 / self.shape))

    def partial_moment(self, order: int, horizon: float) -> float:
        """E T^order 1{T <= horizon}."""
        power = 1 + order / self.shape
        share = gammainc(power, self._hazard(np.asarray(horizon)))
        return self.scale**order * float(gamma_function(power) * share)
