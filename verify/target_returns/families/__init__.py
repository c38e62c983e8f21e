"""Where the cases of the statements on target returns come from."""
