"""Fleets to plan for: small builders of the model's values, Hypothesis strategies over them, and a gateway to settle.

Builders take what a test is about and fill in the rest with the dullest value that works. Strategies draw from small
pools of agents, channels and numbers on purpose: a law about equality is worth nothing when nothing is ever equal.
`settle` and `Floor` are written from the documents, not from the code under test.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, assert_never

from hypothesis import strategies as st

from reconciler.model.agent import MAX_AGENT_ID, MIN_AGENT_ID, AgentId, AgentRange, summarise_agents
from reconciler.model.capacity import CapacityFloor
from reconciler.model.changed_since import ChangedSince
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Declared, Desired, DesiredAgent, Source
from reconciler.model.gateway_settings import CallnumsKey, GatewaySettings
from reconciler.model.plan import Call, Forget, Plan, PlanOptions, Reassert, Reset, Scope, Set
from reconciler.model.site import GuardrailSettings, OnAgentRemoval, OnChannelRemoval, Site
from reconciler.model.state import AgentRecord, Pending, RecordStatus, State
from reconciler.values import replace

URL = "https://gateway.test:8043"
SITE = "demo"
LINEAGE = "0b6f3d8e-4c1a-4f5e-9a77-2f1c8d9e0a11"
EARLIER = "2025-03-01T08:00:00Z"
"""When builders say an agent was acknowledged."""
NOW = "2025-03-01T12:00:00Z"
"""When `settle` says so."""

EAST = Source("agents/east.yaml", 3)
"""Where agents are declared unless a test says otherwise."""
NO_GUARDRAILS = GuardrailSettings(max_changed_percent=None)


# Builders


def agent_id(number: int) -> AgentId:
    return AgentId(number)


def agent_range(text: str) -> AgentRange:
    return AgentRange.parse(text)


def concurrency(total: int = 25, **channels: int) -> Concurrency:
    """`concurrency(25, web_chat=9, sms=6)`; the keywords are member names in lower case, so 5G is `five_g`."""
    return Concurrency.of(total, {Channel[name.upper()]: n for name, n in (channels or {"web_chat": 9}).items()})


def origins(value: Concurrency, path: str = "profiles.yaml") -> dict[str, Source]:
    """Each number of `value` on a line of its own, the total on the first."""
    fields = ["total", *(channel.label for channel, _ in value.channels)]
    return {name: Source(path, line) for line, name in enumerate(fields, start=1)}


def desired_agent(
    value: Concurrency | None = None,
    *,
    team: str | None = "east",
    protected: bool = False,
) -> DesiredAgent:
    return DesiredAgent(concurrency=value or concurrency(), team=team, protected=protected)


def declared(value: Concurrency, source: Source = EAST, **fields: Source) -> Declared:
    """Declared in `source`, and each number on a line of its own unless `fields` say where they all are."""
    return Declared(source=source, origins=fields or origins(value))


def site(
    *,
    callnums_key: CallnumsKey = CallnumsKey.CAMEL,
    url: str = URL,
    guardrails: GuardrailSettings = NO_GUARDRAILS,
    **settings: Any,
) -> Site:
    """A site without guardrails; `settings` are further fields of `Site`."""
    gateway = GatewaySettings(url=url, callnums_key=callnums_key)
    return Site(**{"name": SITE, "gateway": gateway, "guardrails": guardrails, **settings})


def desired(
    agents: Mapping[int, Concurrency | DesiredAgent] | None = None,
    *,
    at: Site | None = None,
    places: Mapping[int, Declared] | None = None,
) -> Desired:
    """An environment with these agents, at the site `at`, each declared where `places` or the dullest of files say."""
    wanted = {
        AgentId(number): value if isinstance(value, DesiredAgent) else desired_agent(value)
        for number, value in (agents or {}).items()
    }
    where = {agent: (places or {}).get(agent) or declared(value.concurrency) for agent, value in wanted.items()}
    return Desired(site=at or site(), agents=wanted, declared=where)


def record(
    value: Concurrency | None = None,
    *,
    status: RecordStatus = RecordStatus.ACKNOWLEDGED,
    callnums_key: CallnumsKey = CallnumsKey.CAMEL,
    acknowledged_at: str | None = EARLIER,
    session: str | None = None,
    team: str | None = "east",
    protected: bool = False,
) -> AgentRecord:
    return AgentRecord.of(
        concurrency=value or concurrency(),
        callnums_key=callnums_key,
        acknowledged_at=acknowledged_at,
        session=session,
        team=team,
        protected=protected,
        status=status,
    )


def state(
    agents: Mapping[int, Concurrency | AgentRecord] | None = None,
    *,
    pending: Mapping[int, Pending] | None = None,
    serial: int = 7,
) -> State:
    """A state with these records, all acknowledged `EARLIER` unless said otherwise."""
    return State(
        lineage=LINEAGE,
        serial=serial,
        site=SITE,
        agents={
            AgentId(number): value if isinstance(value, AgentRecord) else record(value)
            for number, value in (agents or {}).items()
        },
        pending={AgentId(number): value for number, value in (pending or {}).items()},
    )


def waiting(*, since: str = EARLIER, attempts: int = 1, retcode: str | None = "100-006") -> Pending:
    """A change that waits for its agent."""
    return Pending(first_deferred_at=since, last_deferred_at=since, attempts=attempts, retcode=retcode)


def fleet_of(numbers: Iterable[int], value: Concurrency) -> dict[int, Concurrency]:
    """The same values for each of `numbers`."""
    return dict.fromkeys(numbers, value)


def scope(*, agents: str = "", excluded: str = "", teams: Iterable[str] = (), channels: Iterable[str] = ()) -> Scope:
    """A selection, written as on the command line: `scope(agents="1001,1003-1050", channels=["sms"])`."""
    return Scope(
        teams=tuple(teams),
        agents=tuple(agent_range(item) for item in agents.split(",") if item),
        excluded=tuple(agent_range(item) for item in excluded.split(",") if item),
        channels=tuple(Channel.from_label(label) for label in channels),
    )


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything `make_plan` takes."""

    desired: Desired
    state: State
    options: PlanOptions = field(default_factory=PlanOptions)
    session_keys: Mapping[AgentId, str | None] = field(default_factory=dict)


def one_of_each(on_agent_removal: OnAgentRemoval = OnAgentRemoval.FORGET) -> Situation:
    """A small fleet whose plan has every action and reason, a removed channel and a protected agent. Always the same.

    1001 new · 1002 changed, a channel closed · 1003 key spelling · 1004 in doubt · 1005 new session · 1006 older than
    two hours · 1007 removed · 1008 (team night) unchanged · 1009 unchanged and protected
    """
    plain, wide = concurrency(25, web_chat=9, sms=6), concurrency(25, web_chat=9, sms=6, whatsapp=4)
    recent = "2025-03-01T11:59:00Z"
    wanted: dict[int, Concurrency | DesiredAgent] = {
        **fleet_of(range(1001, 1007), plain),
        1008: desired_agent(plain, team="night"),
        1009: desired_agent(plain, protected=True),
    }
    recorded: dict[int, Concurrency | AgentRecord] = {
        1002: record(wide, acknowledged_at=recent),
        1003: record(plain, acknowledged_at=recent, callnums_key=CallnumsKey.LOWER),
        1004: record(plain, acknowledged_at=None, status=RecordStatus.IN_DOUBT),
        1005: record(plain, acknowledged_at=recent, session="login-1"),
        1006: record(plain, acknowledged_at=EARLIER),
        1007: record(wide, acknowledged_at=recent),
        1008: record(plain, acknowledged_at=recent, team="night"),
        1009: record(plain, acknowledged_at=recent, protected=True),
    }
    return Situation(
        desired=desired(wanted, at=site(on_agent_removal=on_agent_removal)),
        state=state(recorded),
        options=PlanOptions(reassert_older_than=7200, at=NOW),
        session_keys={AgentId(1005): "login-2"},
    )


# What the world does with a plan


def settle(plan: Plan, before: State, *, in_doubt: Collection[int] = ()) -> State:
    """The state after every call of `plan` was acknowledged, but for agents `in_doubt`, whose answers were lost."""
    records = dict(before.agents)
    for change in plan.changes:
        match change:
            case Forget():
                del records[change.agent]
            case Reset() if change.agent not in in_doubt:
                del records[change.agent]
            case Set() | Reassert() | Reset():
                records[change.agent] = _sent(change, plan.callnums_key, before, doubt=change.agent in in_doubt)
            case _:
                assert_never(change)
    waiting = {agent: each for agent, each in before.pending.items() if agent in in_doubt}
    return replace(before, agents=records, pending=waiting, serial=before.serial + 1)


def _sent(change: Call, callnums_key: CallnumsKey, before: State, *, doubt: bool) -> AgentRecord:
    old = before.agents.get(change.agent)
    return AgentRecord.of(
        concurrency=change.after,
        callnums_key=callnums_key,
        acknowledged_at=NOW if not doubt else None if old is None else old.acknowledged_at,
        team=change.team,
        protected=change.protected,
        status=RecordStatus.IN_DOUBT if doubt else RecordStatus.ACKNOWLEDGED,
    )


@dataclass
class Floor:
    """What agents really have, which nobody can read: a gateway that keeps the channels a call does not list."""

    understood: CallnumsKey = CallnumsKey.CAMEL
    """Under the other spelling it answers "0" and changes no channel."""
    channels: dict[AgentId, dict[Channel, int]] = field(default_factory=dict)

    def receive(self, plan: Plan, *, lost: Collection[int] = ()) -> None:
        """Take every call of `plan`, but for agents `lost`, whose calls never arrived."""
        for call in plan.calls:
            if call.agent not in lost and plan.callnums_key is self.understood:
                self.channels.setdefault(call.agent, {}).update(call.after.as_mapping())


# Strategies

TEAMS = ("east", "night", "vip")
POOL = tuple(AgentId(number) for number in range(1001, 1007))
"""The agents that drawn fleets share."""
_SOURCES = tuple(Source(path, line) for path in ("profiles.yaml", "agents/east.yaml") for line in (1, 9))
_FEW_CHANNELS = (Channel.WEB_CHAT, Channel.SMS, Channel.FIVE_G)

agent_ids = st.integers(MIN_AGENT_ID, MAX_AGENT_ID).map(AgentId)
agent_ranges = st.tuples(agent_ids, agent_ids).map(lambda ends: AgentRange(min(ends), max(ends)))
concurrencies = st.builds(
    Concurrency.of,
    st.integers(1, 60),
    st.dictionaries(st.sampled_from(Channel), st.integers(0, 60), min_size=1),
)
few_concurrencies = st.sampled_from(
    [
        Concurrency.of(total, {channel: n for channel, n in zip(_FEW_CHANNELS, numbers, strict=True) if n is not None})
        for total in (8, 25)
        for numbers in product((None, 0, 4, 9), repeat=len(_FEW_CHANNELS))
        if numbers != (None,) * len(_FEW_CHANNELS)
    ]
)
"""Values from so small a pool that two draws are often equal, or differ in one number."""
callnums_keys = st.sampled_from(CallnumsKey)

desired_agents = st.builds(
    lambda value, likeness: replace(likeness, concurrency=value),
    few_concurrencies,
    st.sampled_from(
        [desired_agent(team=team, protected=protected) for team, protected in product((None, *TEAMS), (False, True))]
    ),
)
records = st.builds(
    lambda value, likeness: likeness.amended(concurrency=value),
    few_concurrencies,
    st.sampled_from(
        [
            record(callnums_key=key, acknowledged_at=at, session=session, team=team, protected=protected, status=status)
            for key, at, session, team, protected, status in product(
                CallnumsKey,
                (EARLIER, NOW, None),
                (None, "login-1", "login-2"),
                (None, *TEAMS),
                (False, True),
                RecordStatus,
            )
        ]
    ),
)
guardrail_settings = st.builds(
    GuardrailSettings,
    max_changed_percent=st.none() | st.sampled_from((0.0, 25.0, 100.0)),
    min_population=st.integers(0, 6),
    max_changed_agents=st.none() | st.integers(0, 4),
    max_to_zero=st.none() | st.integers(0, 2),
    max_delta=st.sampled_from(({}, {Channel.WEB_CHAT: 4}, {None: 0, Channel.SMS: 0})),
    capacity_floor=st.sampled_from(
        (
            (),
            (
                CapacityFloor(team="east", channel=Channel.WEB_CHAT, least=9),
                CapacityFloor(team=None, channel=None, max_drop_percent=10),
            ),
        )
    ),
    protected_agents=st.sampled_from(((), (AgentRange(POOL[0], POOL[1]),))),
    protected_teams=st.sampled_from(((), ("vip",))),
)
sites = st.builds(
    lambda key, guardrails, channel, agent, reset: site(
        callnums_key=key, guardrails=guardrails, on_channel_removal=channel, on_agent_removal=agent, reset=reset
    ),
    callnums_keys,
    guardrail_settings,
    st.sampled_from(OnChannelRemoval),
    st.sampled_from(OnAgentRemoval),
    few_concurrencies,
)
pool_agents = st.sampled_from(POOL)
desired_fleets = st.dictionaries(pool_agents, desired_agents)
"""Agents of a `Desired`, without their site."""
pendings = st.builds(
    waiting,
    since=st.sampled_from((EARLIER, NOW)),
    attempts=st.integers(1, 3),
    retcode=st.sampled_from((None, "100-006")),
)
states = st.builds(
    lambda agents, pending: State(lineage=LINEAGE, serial=7, site=SITE, agents=agents, pending=pending),
    st.dictionaries(pool_agents, records),
    st.dictionaries(pool_agents, pendings, max_size=3),
)
pool_ranges = st.tuples(pool_agents, pool_agents).map(lambda ends: AgentRange(min(ends), max(ends)))
comparisons = st.builds(
    ChangedSince,
    revision=st.just("origin/main"),
    commit=st.just("1" * 40),
    agents=st.sets(pool_agents, max_size=4).map(summarise_agents),
) | st.just(ChangedSince(revision="HEAD^", commit="2" * 40, everybody="gateway.url in site.yaml differs"))
scopes = st.builds(
    Scope,
    changed=st.none() | comparisons,
    teams=st.lists(st.sampled_from(TEAMS), max_size=2).map(tuple),
    agents=st.lists(pool_ranges, max_size=2).map(tuple),
    excluded=st.lists(pool_ranges, max_size=1).map(tuple),
    channels=st.lists(st.sampled_from(_FEW_CHANNELS), max_size=2).map(tuple),
)
plan_options = st.builds(
    PlanOptions,
    scope=st.just(Scope()) | scopes,
    reassert_all=st.booleans(),
    reassert_older_than=st.none() | st.sampled_from((0.0, 3600.0, 86_400.0)),
    at=st.just(NOW),
    sessions=st.booleans(),
)
desireds = st.builds(
    lambda at, agents, sources: desired(
        agents,
        at=at,
        places={
            agent: declared(agents[agent].concurrency, source)
            for agent, source in zip(POOL, sources, strict=True)
            if agent in agents
        },
    ),
    sites,
    desired_fleets,
    st.lists(st.sampled_from(_SOURCES), min_size=len(POOL), max_size=len(POOL)),
)
situations = st.builds(
    Situation,
    desired=desireds,
    state=states,
    options=plan_options,
    session_keys=st.dictionaries(pool_agents, st.sampled_from(("login-1", "login-2", None))),
)
