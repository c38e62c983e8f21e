"""Relative budgets from rollout logs, whose unsolved trajectories are censored where they were cut.

To be read in this order: `rollouts`, `survival`, `laws`, `fitting`, `population`,
`budgets`, `efficiency`.
"""
