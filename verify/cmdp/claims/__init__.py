"""The theorems of `holdfast.theory.cmdp` bound to families, file by file of the same name."""
