"""Label-flip poisoning: what the cheapest change of labels costs, and what rewards learn.

Read `least_cost` first, which has the notation.
"""
