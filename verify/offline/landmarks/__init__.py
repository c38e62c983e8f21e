"""Offline problems that decide: edge cases, witnesses and golden instances."""
