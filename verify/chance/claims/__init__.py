"""The claims that come with holdfast: every theorem of the catalogue bound to a family."""
