"""Second methods for alignment, slow and plain."""
