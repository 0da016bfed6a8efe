"""Places away from this machine that a state can be kept in; one module each, imported when it is chosen."""
