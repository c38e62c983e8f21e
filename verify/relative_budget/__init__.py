"""Relative budgets: claims, families, landmarks and oracles."""
