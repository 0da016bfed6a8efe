"""A CC-Gateway to rehearse against: real HTTPS, sessions and faults, read from the reference by itself."""

from reconciler.simulator.authority import Authority
from reconciler.simulator.control import Control
from reconciler.simulator.faults import Fault, parse_fault
from reconciler.simulator.gateway import Gateway
from reconciler.simulator.rehearsal import RehearsalSettings, run
from reconciler.simulator.rules import ChannelMode, Rules, Spelling
from reconciler.simulator.server import RunningServer, serve
from reconciler.simulator.sessions import SimulatedSession

__all__ = [
    "Authority",
    "ChannelMode",
    "Control",
    "Fault",
    "Gateway",
    "RehearsalSettings",
    "Rules",
    "RunningServer",
    "SimulatedSession",
    "Spelling",
    "parse_fault",
    "run",
    "serve",
]
