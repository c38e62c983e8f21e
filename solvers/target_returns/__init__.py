"""Target returns: policies that are conditioned on returns, and safe tuning of their targets.

``Tuner(Tuning(...))`` proposes targets one at a time, each with the reason why it is safe; names
load on first use.

To be read in this order: `gaussian`, `tuning`; `returns` stands alone.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
