"""The theorems of `holdfast.theory.chance` bound to families, file by file of the same name."""
