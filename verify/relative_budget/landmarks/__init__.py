"""Instances on relative budgets that are worked out by hand."""
