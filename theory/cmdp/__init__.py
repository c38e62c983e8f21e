"""Constrained Markov decision processes, the pillar on which the others stand.

Read `foundations` first, which has the notation, then `duality` and `randomisation`.
"""
