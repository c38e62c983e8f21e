"""One state for ever, where the bounds on aligned critics are attained."""

from __future__ import annotations

from fractions import Fraction

from ..families.tables import loop

_ONE, _NINE = Fraction(1), Fraction(9, 10)
contracts = {
    "same": lambda: (loop(start=(3, 3), count=2),),
    "patient": lambda: (loop(start=(3, 3), count=3, discount=_NINE),),
}
biased = {
    "coin": lambda: (loop(start=(0, 0), temperature=_ONE),),
    "patient": lambda: (loop(start=(0, 0), temperature=Fraction(2), discount=_NINE),),
}
aligned = {
    # Q^pi = 0: Q_j = gamma^j Q_0 + (1 - gamma^j) alpha gamma log 2/(1 - gamma)
    "coin": lambda: (loop(start=(3, 3), temperature=_ONE, count=2),),
    "patient": lambda: (loop(start=(1, 1), temperature=Fraction(3), count=4, discount=_NINE),),
    "plain": lambda: (loop(start=(3, 3), count=2),),
    "bias": lambda: (loop(start=(0, 0), temperature=_ONE, count=3, discount=Fraction(1, 3)),),
}
partial = {
    # e_in = gamma ((1 - p) e_in + p e_out) with gamma = 1/2, p = 1/4 and e_out = 3: 3/5
    "leak": lambda: (loop(start=(0, 3), policy=(Fraction(3, 4), Fraction(1, 4))),),
    "patient": lambda: (
        loop(start=(0, 2), policy=(Fraction(1, 2), Fraction(1, 2)), discount=_NINE),
    ),
    "rare": lambda: (
        loop(start=(0, 2), policy=(Fraction(19, 20), Fraction(1, 20)), discount=Fraction(99, 100)),
    ),
}
