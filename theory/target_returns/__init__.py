"""Target returns: policies that are told a return, how to choose it, and how to improve them."""
