"""Linear programs with exact data: `program`, then `solve`; `box` for least sums over a box."""
