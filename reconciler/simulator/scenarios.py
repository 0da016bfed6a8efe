"""Bad days, and odd gateways, by name.

Rules of this file: a table and nothing else. Each scenario has its source and how good that is; what a row can say is
explained in `scenario`, and what a fault says in `faults` and `whens`.
"""

from __future__ import annotations

from reconciler.simulator.rules import AuthMode, ChannelMode, EventMode, Spelling
from reconciler.simulator.scenario import Given, Parameter, Scenario, count, parse_channel, span, whole_span

_FIRST_CALLS = count("calls of each agent", "1")
_NTH_CALL = count("calls between them", "3")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="guid-rotation",
        description="every Guid is replaced after {value}, and the old one is good for as long again",
        source="cec_07_0005, GUIDINTERVAL and GUIDTIMEOUT",
        grade="D",
        parameter=span("age", "60s"),
        rules={"desks_rotate": True, "guid_interval": Given(), "guid_timeout": Given(2)},
    ),
    Scenario(
        name="guid-expiry",
        description="every Guid is refused with 000-003 at the age of {value}, and no desk renews its own",
        source="cec_07_0005, GUIDTIMEOUT; the code is that of an expired authentication",
        grade="D",
        parameter=span("age", "120s"),
        rules={"guid_ttl": Given()},
    ),
    Scenario(
        name="sign-out-midway",
        description="at call number {value}, and as many calls later again, the call's agent has just signed out",
        source="people sign out whenever they like; 100-006 of cec_07_0580",
        grade="I",
        parameter=_NTH_CALL,
        faults=("%{value}=sign-out",),
    ),
    Scenario(
        name="lost-session",
        description="at call number {value}, and as many calls later again, the gateway no longer knows the agent's "
        "session, which the sessions file still has",
        source="client code that drops a cached Guid on 100-006",
        grade="C",
        parameter=_NTH_CALL,
        faults=("%{value}=lose-session",),
    ),
    Scenario(
        name="dr-switchover",
        description="for {value} from the first call on, calls of every kind get 000-004; then all is well",
        source="cec_07_0580, 000-004",
        grade="D",
        parameter=whole_span("duration", "30s"),
        faults=("any/~{value}=retcode:000-004",),
    ),
    Scenario(
        name="overlap-refused",
        description="answers take {value}, so that calls of one agent that overlap do meet, and get 000-007 as always",
        source="cec_07_0580, 000-007",
        grade="D",
        parameter=span("latency", "200ms"),
        rules={"latency": Given()},
    ),
    Scenario(
        name="slow-replies",
        description="each answer to a call that sets numbers is {value} late, though the work is done at once",
        source="any network",
        grade="I",
        parameter=span("delay", "2s"),
        faults=("*=slow:{value}",),
    ),
    Scenario(
        name="reset-before-commit",
        description="each agent's first calls ({value}) are cut off before anything is taken",
        source="any network",
        grade="I",
        parameter=_FIRST_CALLS,
        faults=("@{value}=reset-before-commit",),
    ),
    Scenario(
        name="reset-after-commit",
        description="each agent's first calls ({value}) are taken, and cut off instead of answered",
        source="any network",
        grade="I",
        parameter=_FIRST_CALLS,
        faults=("@{value}=reset-after-commit",),
    ),
    Scenario(
        name="html-200",
        description="each agent's first calls ({value}) get a page with status 200 from something in front",
        source="load balancers and portals in front of the gateway",
        grade="I",
        parameter=_FIRST_CALLS,
        faults=("@{value}=http-200-html",),
    ),
    Scenario(
        name="bad-gateway-502",
        description="each agent's first calls ({value}) get a page with status 502 from something in front",
        source="load balancers in front of the gateway",
        grade="I",
        parameter=_FIRST_CALLS,
        faults=("@{value}=http-502",),
    ),
    Scenario(
        name="too-many-requests",
        description="each agent's first call gets status 429 with Retry-After {value}",
        source="fronts that limit rates; the reference publishes no limit",
        grade="I",
        parameter=whole_span("Retry-After", "1s"),
        faults=("@1=http-429:{value}",),
    ),
    Scenario(
        name="wrong-password",
        description="signing in, by force too, gets 100-004",
        source="cec_07_0580, 100-004",
        grade="D",
        faults=("sign-in/*=retcode:100-004", "force/*=retcode:100-004"),
    ),
    Scenario(
        name="sticky-cookies",
        description="a session is unknown (100-006) without the cookie that signing in gave, as on another node",
        source="client code that sends the sign-in's cookies back",
        grade="C",
        rules={"sticky_cookies": True},
    ),
    Scenario(
        name="missing-skill",
        description="nobody has the skill queue of {value} (106-011), unless --skills says so",
        source="setcallnumsbymediatype, Description; what 106-011 means is inferred",
        grade="S",
        parameter=Parameter(name="channel", default="whatsapp", parse=parse_channel),
        rules={"missing_skills": Given()},
    ),
    Scenario(
        name="lenient-zero",
        description="a number under the wrong spelling of callNums is read as 0 and acknowledged",
        source="setcallnumsbymediatype, whose table and example disagree",
        grade="I",
        rules={"spelling": Spelling.LENIENT_ZERO},
    ),
    Scenario(
        name="merge",
        description="channels that a call leaves out keep their numbers",
        source="none found: one of two possibilities",
        grade="I",
        rules={"channel_mode": ChannelMode.MERGE},
    ),
    Scenario(
        name="replace",
        description="channels that a call leaves out are dropped",
        source="none found: one of two possibilities",
        grade="I",
        rules={"channel_mode": ChannelMode.REPLACE},
    ),
    Scenario(
        name="static-guids",
        description="AUTHMODE 1: the Guid of a sign-in stays until the session ends",
        source="cec_07_0005, static authentication",
        grade="D",
        rules={"auth_mode": AuthMode.STATIC},
    ),
    Scenario(
        name="websocket-mode",
        description="events are pushed to everybody: whoever polls for them gets 000-001, heartbeats are right",
        source="cec_05_40100 and 000-001 of cec_07_0580; that 000-001 is what a poll gets is inferred",
        grade="I",
        rules={"event_mode": EventMode.PUSHED},
    ),
)
