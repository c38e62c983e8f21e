"""Instances on target returns that are worked out by hand."""
