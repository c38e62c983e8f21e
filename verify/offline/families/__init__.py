"""Where the cases of offline problems come from."""
