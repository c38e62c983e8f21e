"""Values in balls that are computed together, once for each precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import flint

from holdfast.theory import Quantity

from ..binding.values import Ball


def together(
    compute: Callable[[], Mapping[Quantity, flint.arb]], *quantities: Quantity
) -> dict[Quantity, Ball]:
    """A ball for each quantity, of one computation that yields numbers for all of them."""

    @cache
    def found(precision: int) -> Mapping[Quantity, flint.arb]:
        del precision  # the working precision, which the computation reads itself
        return compute()

    def ball(quantity: Quantity) -> Ball:
        return Ball(lambda: found(flint.ctx.prec)[quantity])

    return {quantity: ball(quantity) for quantity in quantities}
