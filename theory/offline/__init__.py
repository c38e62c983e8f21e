r"""Offline and offline-to-online safe reinforcement learning.

**Sets.**  A constrained MDP with finitely many states s and actions a, transitions P, rewards r,
costs c, discount :math:`\gamma` and initial law :math:`\rho`; a data law :math:`\mu` on pairs
(s, a), and what was drawn from it.

**Main results.**

**Reading order.**
"""
