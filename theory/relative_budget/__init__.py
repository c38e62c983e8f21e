r"""Relative budgets: how many tokens reinforcement learning with verifiable rewards needs."""
