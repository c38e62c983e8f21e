"""Preference data: pairs of texts or of features from files, and the attacks of the literature."""
