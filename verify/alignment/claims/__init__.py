"""The theorems of `holdfast.theory.alignment` bound to families, file by file."""
