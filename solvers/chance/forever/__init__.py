"""Infinite futures: reward discounted for ever, and a bound on the risk of ever being unsafe."""
