"""Leaders that are networks, against followers that are Boltzmann: exact, trained, and languages.

To be read in this order: `leaders` (torch modules for `hypergradient`), `problems`, `finite` and
`ascent` (small problems, every estimate beside the exact hypergradient), `trajectories`, `regulator`
and `pendulum` (continuous states), `responses` (language models).
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "ascent": ("ascent", "a leader's network climbs by sampled hypergradients, on small problems"),
    "regulator": ("regulator", "the same on a bilevel LQR, whose hypergradient has a closed form"),
    "pendulum": ("pendulum", "a leader's network pays a follower that learns by SAC"),
}
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
