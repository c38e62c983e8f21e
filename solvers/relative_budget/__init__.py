"""Relative budgets: how many tokens a policy is given, in units of how many it needs.

T is the number of tokens after which a trajectory is solved, infinity if never; H is the horizon,
and xi = H/E T.  The reward is (H - T + 1) 1{T <= H} for whole tokens and (H - T)_+ for real
lengths, UN-normalised.  Names load on first use.

To be read in this order: `continuous`, `chains`, `processes`, `moments`; `enclosures`,
`gamma`, `online`, `criteria` for Gamma lengths; `version_space` and `group_toy` stand alone.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
