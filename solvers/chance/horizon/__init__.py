"""A joint chance constraint over a finite horizon, exactly.

To be read in this order: `problem`, `dynamics`, `evaluation`, `induction`, `floats`,
`candidates`, `faces`, `chord`, `splitting`, `solution`, `envelope`; `unrolling` is for the kernel,
which has the answers proved to it; `flag_program` and `enumeration` are second methods.
"""
