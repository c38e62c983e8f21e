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
#: Name -> its tasks, each with what it is in one line.
TASKS = {
    "ascent": {
        "toy4-1": "DiscreteToy4, a published game, with a reward of 1; the leader has a policy",
        "toy4-2": "the same with a reward of 2",
        "grid": "6 x 6 cells; the leader spreads a budget of penalties over them",
        "lqr": "the bilevel LQR, whose hypergradient is known in closed form",
        "tiny": "reward weights of a small language model's responses, made at random",
        "smollm2": "the same of SmolLM2-135M, which must have been downloaded",
    },
    "pendulum": {"Pendulum-v1": "a network of the leader pays a follower that learns by SAC"},
}
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
