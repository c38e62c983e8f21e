"""Alignment over finite responses: claims and their families."""
