"""Offline and offline-to-online safe reinforcement learning.

Names load on first use.  To be read in this order: `data_sets`, `controllers`, `stability`,
`lyapunov`, `dual_response`, `value_alignment`.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
