"""The exact record of a decision process, from arrays, gymnasium, grids and named worlds."""
