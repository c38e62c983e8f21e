"""`poison` and `poison-synthetic`."""
