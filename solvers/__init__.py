"""Exact solvers for finite discounted constrained MDPs.

Everything returned is rational and carries a certificate that the kernel (``holdfast check``)
verifies without trusting this package.  Names load on first use, so importing it is cheap.

To be read in this order: `exact` and `limits`, then `programs` (linear programs) and `models` (the
record of a decision process), then a pillar: `cmdp`, `chance`, `poisoning`.  `neural` needs torch.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
