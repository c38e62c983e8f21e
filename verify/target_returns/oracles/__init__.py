"""Second computations on target returns, slow and plain on purpose."""
