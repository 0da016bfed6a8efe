"""The command line: parse, build, execute. One error border turns everything that can happen into an exit code.

Rules of this room: only here is anything printed or asked, and a process ended. The clock, chance, the environment and
the signals of the real world are handed from here to the rooms below.
"""

from reconciler.cli.border import interrupted, main, main_of_process

__all__ = ["interrupted", "main", "main_of_process"]
