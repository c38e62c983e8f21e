"""Hypergradients: claims, and the command ``hypergradient``."""
