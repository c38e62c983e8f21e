"""Constrained MDPs: policies, exact optima, infeasible budgets, two discounts, dual methods.

To be read in this order: `policies`, `improvement`, `occupancy`, `solution`, `exact_columns`,
`infeasibility`, `solving`; each other file is one method on these. Large models are in `scale`.
"""
