"""What a target is like: its times, what it bears, what its calls have in common; from a file or from measurements."""
