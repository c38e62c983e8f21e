"""Constrained MDPs: claims, families, landmarks and commands."""
