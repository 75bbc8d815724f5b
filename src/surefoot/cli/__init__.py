"""The commands, one file each: thin, composing the rest of the house."""
