"""Gaussian processes over a finite grid of targets, in double precision with rigorous bounds.

To be read in this order: `checks`, `kernels`, `elimination`, `posterior`, `information`,
`confidence`.
"""
