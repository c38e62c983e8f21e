"""Where the cases of target returns come from."""
