"""Exact solvers for finite discounted constrained MDPs.

Everything returned is rational and carries a certificate that the kernel (``holdfast check``)
verifies without trusting this package.  Names load on first use, so importing it is cheap.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
