"""What the author of a claim touches: claims, families, draws, values, proofs, mutants."""
