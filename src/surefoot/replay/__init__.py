"""The mirror house: the gateway's own Call and Fleet on a virtual clock; traffic and incidents in, a comparison out.

Has no policy of its own, and never imports the gateway.
"""
