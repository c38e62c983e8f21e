"""Offline safe reinforcement learning: claims, families, oracles, commands, pictures."""
