"""Documents read back, strictly: what the writing side never writes is refused, with its place."""
