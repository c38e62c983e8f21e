"""The theorems of `holdfast.theory.poisoning` bound to families, file by file of the same name."""
