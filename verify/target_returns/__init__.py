"""Target returns: claims, families, oracles."""
