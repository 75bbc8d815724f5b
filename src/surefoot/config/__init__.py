"""The TOML file as typed options: every fault told at once, with its path and what to do. Never guesses."""
