"""Label-flip poisoning: claims, families, landmarks, commands and pictures."""
