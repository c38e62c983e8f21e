"""Files that hold models: JSON, npz and PRISM's explicit files."""
