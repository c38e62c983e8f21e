"""What `solve --joint-risk` does and prints."""
