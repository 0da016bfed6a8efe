"""Places away from this machine that a state can be kept in; one module each, imported when it is chosen.

Rule of this folder: a backend keeps bytes under versions; what a state says is the codec's to know.
"""
