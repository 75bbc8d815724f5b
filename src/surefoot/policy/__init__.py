"""The mind: takes facts, returns deeds. Time and chance come in as arguments; nothing here can reach the world."""
