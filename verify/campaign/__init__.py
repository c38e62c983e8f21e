"""All shards of some claims, under a budget, into a store.

To be read in this order: `schedule`, `workers`, `run`, `power`, `summary`.
"""
