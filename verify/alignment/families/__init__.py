"""Where the cases of alignment come from."""
