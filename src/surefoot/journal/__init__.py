"""Memory: a row per call and per attempt, written beside the request path. Never the text of a prompt or an answer."""
