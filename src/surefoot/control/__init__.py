"""The supervisor: starts the workers, tells them what they must know, keeps what they report. No request waits."""
