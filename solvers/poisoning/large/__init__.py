"""The least change of labels for up to a million pairs, enclosed rigorously.

To be read in this order: `arrays`, `verified`, `enclose`, `stages`; `sifting` and `dual_newton`
search, `band`, `maximum` and `certify` finish, `dropped` bounds what left out features may change.
"""
