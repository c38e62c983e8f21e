"""Chance constraints: how likely an unsafe state is, and what policies may do about it.

Read `joint_chance` first, then `flag_program` and `futures`; `flipping` stands alone, and
`policy_mixtures`, `policy_sampling` and `surrogate_costs` rest on it.
"""
