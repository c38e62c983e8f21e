"""Second computations on hypergradients, slow and plain on purpose."""
