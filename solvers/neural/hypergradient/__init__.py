"""Leaders that are networks, against followers that are Boltzmann.

To be read in this order: `leaders` (torch modules), `ascent` (what trainings
share), `problems` and `finite`, `regulator` (continuous states, in closed form), `responses`
(language models), `pendulum` (a follower that is a network too).
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "ascent": ("ascent", "a leader climbs by sampled hypergradients, each beside the exact one"),
    "pendulum": ("pendulum", "a leader's network pays a follower that learns by SAC"),
}
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
