"""The theorems of `holdfast.theory.relative_budget` bound to families, file by file."""
