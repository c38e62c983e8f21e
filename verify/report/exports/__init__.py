"""What is proved or refuted, in the formats of other checkers and of papers."""
