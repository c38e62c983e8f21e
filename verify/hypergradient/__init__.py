"""Hypergradients: claims, families, landmarks, oracles and commands."""
