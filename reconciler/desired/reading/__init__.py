"""One file: from its bytes to plain values, each with the place where it stands."""
