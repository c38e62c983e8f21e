"""Trained policies under chance constraints: flips of them, measured and mixed exactly.

``train_flipping(env, level="1/10")`` trains at several limits, measures, and returns the best flip.
Names load on first use; torch loads with them.

To be read in this order: `flips`, `policy`, `heads`, `saving`, `train_flipping`.
"""

from lazy_loader import attach_stub

ALGORITHMS: dict[str, tuple[str, str]] = {}
"""Name -> (module with its ALGORITHM, one line)."""

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
