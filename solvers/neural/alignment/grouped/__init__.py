"""Group-based updates on a bandit, each beside the law that it has as fixed point."""
