"""The theorems of `holdfast.theory.target_returns` bound to families, in files of those names."""
