"""Large constrained models in floating point, with bounds that hold.

Compiled loops (numba) over a model's own arrays evaluate and improve policies; the search for
multipliers and policies keeps every policy it evaluates, with rigorous bounds on its returns.
Import what is needed from the modules: most of them load the compiler.

To be read in this order: `image`, `kernels`, `evaluation` (with `forest` and `krylov`), `bounds`,
`search`, `master`, `improvement_model`, `lagrangian`, `feasibility`, `solution`, `enclosure`.
"""
