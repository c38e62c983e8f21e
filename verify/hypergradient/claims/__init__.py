"""The theorems of `holdfast.theory.hypergradient` bound to families, file by file."""
