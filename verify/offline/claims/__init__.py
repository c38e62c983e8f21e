"""The theorems of `holdfast.theory.offline` bound to families, file by file."""
