"""Chance constraints: claims, families, landmarks, oracles, commands and pictures."""
