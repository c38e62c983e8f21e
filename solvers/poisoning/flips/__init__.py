"""The least change of labels, exactly, for small data.

To be read in this order: `problem`, `closed_forms`, `cost`, `least_squares`, `rounding`,
`adaptive`.
"""
