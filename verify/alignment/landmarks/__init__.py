"""Problems of alignment that are known by hand."""
