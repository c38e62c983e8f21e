"""Linear programs with exact data: a float solver proposes, exact algebra proves.

To be read in this order: `program`, `highs`, `float_basis`, `basis`, `simplex`, `solve`; `bordered`
solves the systems of a basis, `box` and `box_pivots` are for least sums over a box.
"""
