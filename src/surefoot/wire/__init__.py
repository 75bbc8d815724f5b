"""The hands: sockets, TLS and the clock. On the request path nothing else opens a socket or reads the time."""
