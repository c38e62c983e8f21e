"""The least change of labels for up to a million pairs, enclosed rigorously.

To be read in this order: `arrays`, `proved_bounds`, `enclose`, `known`, `stages`; `sifting`
and `flips.dual_newton` search, `band`, `maximum` and `feasible_points` finish, `dropped` bounds
what left out features may change; `closed_form` needs no search.
"""
