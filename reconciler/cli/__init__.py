"""The command line: parse, build, execute. One error border turns everything that can happen into an exit code."""

from reconciler.cli.border import interrupted, main, main_of_process

__all__ = ["interrupted", "main", "main_of_process"]
