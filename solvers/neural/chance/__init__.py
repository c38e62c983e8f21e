"""Policies trained under a joint chance constraint."""

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "ppo-lagrangian": ("ppo_lagrangian", "PPO on reward less multiplier times cost"),
    "cpo": ("cpo", "constrained policy optimisation: a trust region step within the limit"),
}
