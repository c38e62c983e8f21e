"""Gradients from groups of sampled episodes: `advantages` in floats, the rest exactly.

`process` is a small decision process with a return-conditioned policy, `gradients` the expectations
of estimators, by enumeration.
"""
