"""Findings, added and never taken: `store`, and the file under it, `database`."""
