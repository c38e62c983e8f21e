"""Instances on hypergradients that are worked out by hand."""
