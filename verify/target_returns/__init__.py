"""Target returns: claims, families, landmarks, oracles, commands and pictures."""
