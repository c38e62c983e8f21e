"""The tightest case, the smallest counterexample and its certificate.

To be read in this order: `hunt`, `shrink`, `counterexample`, `refutations`.
"""
