"""Where models come from: families of constrained MDPs, logs and samples."""

from .branches import Branch, branches
from .cmdps import cmdps
from .logs import DualLog, logs
from .samples import Empirical, Frequency, empirical_laws, frequencies, simulable_frequencies

__all__ = [
    "Branch",
    "DualLog",
    "Empirical",
    "Frequency",
    "branches",
    "cmdps",
    "empirical_laws",
    "frequencies",
    "logs",
    "simulable_frequencies",
]
