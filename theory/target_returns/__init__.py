r"""Target returns: policies that are told which return to reach, and safe tuning of the target.

x
"""
