"""The Call and the Fleet on a virtual clock: calls of the traffic in, what became of each out."""
