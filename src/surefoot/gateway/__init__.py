"""The front house, one worker: runs a Call on the real clock, and shows clients and targets what they may see."""
