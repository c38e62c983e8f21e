"""Where the cases of hypergradients come from."""
