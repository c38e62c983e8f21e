"""Offline and offline-to-online safe reinforcement learning.

Names load on first use.  To be read in this order: `data_sets`, `logs`, `log_files`, `simulated`,
`guardians`, `learned`, `robust`, `guarded`, `sepsis`; of critics `problems`, `critics`,
`no_regret`, `wsac`, `data_errors`, `wsac_floats`; then `multipliers`, `value_alignment`.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
