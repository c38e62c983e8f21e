"""Constrained MDPs on the devices of torch."""
