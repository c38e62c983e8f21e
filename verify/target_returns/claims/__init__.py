"""The theorems of `holdfast.theory.target_returns` bound to families, file by file."""
