"""What failures cost and what a fallback is worth: a file of promises, fees and risks, and surveys of end users.

Reads files and calls `evidence` for every number; writes facts. Must never simulate or weigh by itself.
"""
