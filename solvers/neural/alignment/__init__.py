"""Alignment of language models: trainers, and auditors of anyone's loss.

To be read in this order: `auditing` (a loss of one's own), `auditing_trl` and `auditing_sb3` (the
trainers of these libraries).
"""
