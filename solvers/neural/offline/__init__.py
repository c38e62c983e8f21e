"""Offline and offline-to-online safe reinforcement learning with networks.

To be read in this order: `data`, `safe_sac`, `wsac`, `ranks`, `marvel`; `guardian`,
`dynamics`, `guarded`; `sepsis`.
"""

from lazy_loader import attach_stub

#: Name -> (module of this package that has ``ALGORITHM``, what it is in one line).
ALGORITHMS = {
    "guarded": (
        "guarded", "PPO-Lagrangian in a model of recorded episodes, where leaving them costs"
    ),
    "marvel": (
        "marvel", "offline critics aligned with their policy, then SAC with a multiplier online"
    ),
    "sepsis": ("sepsis", "networks on logs of the expert of ICU-Sepsis, judged in its model"),
    "wsac": ("wsac", "adversarial critics on recorded episodes; steps = 0 for behaviour cloning"),
}  # fmt: skip

#: Name -> its tasks, each with what it is in one line.
TASKS = {
    "sepsis": {"ICU-Sepsis": "716 states of patients, 25 doses; survival against vasopressors"}
}

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
