"""Lists of incidents, whoever wrote them down: read, mended and told what was mended; and what they say together."""
