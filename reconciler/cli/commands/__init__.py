"""One module a subcommand, each with a click command called `command`. See `cli.group`.

Rules of this folder: a command parses, builds what the rooms below take, and returns a `CommandResult` or raises. What
two commands need stands beside this folder, and what only some of them need is imported within them.
"""
