"""Return-conditioned policies and safe tuning of target returns."""
