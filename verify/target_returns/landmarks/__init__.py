"""Named instances of target-return problems."""
