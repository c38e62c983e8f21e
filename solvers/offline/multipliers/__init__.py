"""Multipliers that are moved by what a policy costs: controllers, and whether they come to rest.

To be read in this order: `controllers`, `stability`, `lyapunov`, `dual_response`.
"""
