"""What the world has written down, read into one form: traffic logs, incident lists. No line is dropped in silence."""
