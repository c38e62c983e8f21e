"""Preference data: pairs of texts or of features from files, and the attacks of the literature.

To be read in this order: `bounded_files`, `arrays`, `rows`, `columns`, `dialogues`, `pairs`,
`texts`; `attacks` stands alone.
"""
