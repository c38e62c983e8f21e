"""Relative budgets: claims, families, landmarks, oracles, commands and pictures."""
