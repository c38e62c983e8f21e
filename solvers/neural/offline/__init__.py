"""Offline and offline-to-online safe reinforcement learning with networks."""
