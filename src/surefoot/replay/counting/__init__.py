"""What became of the calls, added up: saved calls, minutes of outage, times and spend, each with its interval."""
