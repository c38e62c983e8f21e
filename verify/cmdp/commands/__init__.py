"""Commands on constrained models."""
