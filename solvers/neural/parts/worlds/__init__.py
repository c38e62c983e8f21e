"""Environments: exact models that are sampled, and those of other packages with a cost.

To be read in this order: `features`, `finite`, `copies`, `vectors`.
"""
