"""What the command line of ``poison`` says."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from .numbers import share


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A field is named as its option's parameter; budget: seconds."""

    data: str
    columns: str | None
    target: str
    rate: str
    order: str
    features: str | None
    dimensions: str | None
    projection: str | None
    sizes: str | None
    labels: str | None
    weights: str | None
    copies: int | None
    norm: str
    ridge: float
    width: float
    tolerance: float
    seed: int
    exact: bool
    budget: float | None
    certificate: str | None
    out: str | None
    plot: str | None
    json_path: str | None
    record: str | None
    cache: str

    @property
    def share(self) -> Fraction:
        """``--rate`` as an exact share of the pairs; raises click.BadParameter."""
        return share(self.rate, "the rate")
