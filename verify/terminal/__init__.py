"""What all commands share: the console, the options, and where they write."""
