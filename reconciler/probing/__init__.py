"""A probe: one agent, a few calls, and what they say about a site that its documentation leaves open.

script, trials        which call comes next, and what it carries; pure
spelling, conclusions what the answers say; pure
restoring             how the agent gets its own numbers back; pure
subject, announcement whom it is made with, and what is told before; pure
identity              who answers, and what would make it trusted (with certificates)
bench, experiment     the calls themselves, and their end (with halt)
procedure             all of it, from the lock to the unlock
"""

from reconciler.probing.experiment import Question, Seen
from reconciler.probing.procedure import ProbeReport, ProbeRequest, Surroundings, probe, write_script

__all__ = [
    "ProbeReport",
    "ProbeRequest",
    "Question",
    "Seen",
    "Surroundings",
    "probe",
    "write_script",
]
