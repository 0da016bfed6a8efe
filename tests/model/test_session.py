from __future__ import annotations

import pytest

from reconciler.model.agent import AgentId
from reconciler.model.session import Session

SESSION = Session(
    agent=AgentId(1001), guid="aa8e92f.AgentGateway0", cookies={"JSESSIONID": "c00k1e"}, key="login-1700000000"
)


@pytest.mark.parametrize(
    "text", [repr(SESSION), str(SESSION), f"{SESSION}", f"{[SESSION]}"], ids=["repr", "str", "format", "in-a-list"]
)
@pytest.mark.parametrize(
    "secret", ["aa8e92f.AgentGateway0", "JSESSIONID", "c00k1e"], ids=["guid", "cookie-name", "cookie"]
)
def test_a_session_as_text_shows_no_secret(text: str, secret: str) -> None:
    assert secret not in text


def test_a_session_as_text_shows_whose_it_is() -> None:
    assert repr(SESSION) == "Session(agent=1001, key='login-1700000000')"


def test_a_session_is_frozen() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        SESSION.guid = "other"  # type: ignore[misc]
