"""Trained policies under a joint chance constraint, and flips of them: measured, mixed exactly.

``train_flipping(env, level="1/10")`` trains at several limits, measures, and returns the best flip.
Names load on first use, and torch with them.

To be read in this order: `presets`, `ppo_lagrangian`, `linearised`, `cpo`, `policy`, `flips`,
`heads`, `flipping`, `judging`, `trained_flip`.
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "ppo-lagrangian": ("ppo_lagrangian", "PPO on reward less multiplier times cost"),
    "cpo": ("cpo", "constrained policy optimisation: a trust region step within the limit"),
    "flipping": ("flipping", "PPO-Lagrangian of two heads and a coin that depends on the state"),
}

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
