"""What the author of a claim touches: claims, families, draws, values, proofs, mutants.

To be read in this order: `draws`, `family`, `values`, `claims`, `mutants`, `proofs`.
`duals`: exact derivatives, for oracles.
"""
