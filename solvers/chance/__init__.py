"""Chance constraints: joint risks over a horizon, and windows that look ahead from every state.

``solve(ChanceProblem(model, unsafe, horizon), level)`` is the exact optimum under
Pr(an unsafe state is visited) <= level.  Names load on first use.

To be read in this order: `horizon`, `hull`, `mixtures`, `forever`; `windows` stands alone.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
