"""A CC-Gateway to rehearse against: real HTTPS, sessions and faults, read from the reference by itself.

Rules of this room: it knows the model and no other room, so that a misreading of the reference has to be made twice to
go unnoticed. Its judgement does no I/O; bytes, files and signals are at its edge.
"""

from reconciler.simulator.attendance import Step
from reconciler.simulator.authority import Authority
from reconciler.simulator.control import Control
from reconciler.simulator.faults import Fault, parse_fault
from reconciler.simulator.gateway import Gateway
from reconciler.simulator.reference import Operation
from reconciler.simulator.rehearsal import RehearsalSettings, run
from reconciler.simulator.rules import AuthMode, ChannelMode, EventMode, Rules, Spelling
from reconciler.simulator.scenario import Scenario
from reconciler.simulator.scenarios import SCENARIOS
from reconciler.simulator.server import RunningServer, serve
from reconciler.simulator.sessions import Keeper, SimulatedSession
from reconciler.simulator.staging import Stage, parse_scenario

__all__ = [
    "SCENARIOS",
    "AuthMode",
    "Authority",
    "ChannelMode",
    "Control",
    "EventMode",
    "Fault",
    "Gateway",
    "Keeper",
    "Operation",
    "RehearsalSettings",
    "Rules",
    "RunningServer",
    "Scenario",
    "SimulatedSession",
    "Spelling",
    "Stage",
    "Step",
    "parse_fault",
    "parse_scenario",
    "run",
    "serve",
]
