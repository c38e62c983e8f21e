"""Alignment over finite prompts and responses: policies that are rewarded, and stay near another.

A problem has a law of prompts [X], a reference policy [X, Y], rewards and safety [X, Y] and a
temperature, the weight of the KL divergence.  Means and divergences are averaged over prompts.
Names load on first use.

To be read in this order: `problems`, `tilts`, `autoregressive`, `trigrams`, `preferences`,
`best_of_n`, `groups`, `rectified`, `debiasing`, `inference_aware`.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
