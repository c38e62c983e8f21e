"""The exact record of a decision process, from arrays, gymnasium, grids and named worlds.

To be read in this order: `cmdp`, `checks`, `rows`, `arrays`; then where models come from: `grids`,
`gymnasium_tables`, `gymnasium_models`, `worlds`, and files in `formats`.
"""
