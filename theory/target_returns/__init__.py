"""Target returns (the chapter is written elsewhere)."""
