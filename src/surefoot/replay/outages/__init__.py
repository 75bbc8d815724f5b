"""What strikes: incidents of lists as outages of targets, and how each of them fails."""
