from __future__ import annotations

import pytest

from reconciler.model.channel import Channel

REFERENCE = [
    (50, "email"),
    (51, "web_chat"),
    (52, "sms"),
    (53, "social_chat"),
    (56, "wechat"),
    (57, "facebook"),
    (58, "twitter"),
    (59, "5g"),
    (60, "line"),
    (61, "whatsapp"),
    (62, "instagram"),
    (63, "telegram"),
]


def test_channels_are_exactly_the_twelve_of_the_reference_in_order_of_their_codes() -> None:
    assert [(int(channel), channel.label) for channel in Channel] == REFERENCE


@pytest.mark.parametrize("channel", Channel, ids=lambda channel: channel.label.replace("_", "-"))
def test_a_label_and_a_code_each_lead_back_to_their_channel(channel: Channel) -> None:
    assert (Channel.from_label(channel.label), Channel.from_code(channel.code)) == (channel, channel)


@pytest.mark.parametrize(
    "label",
    [
        pytest.param("WEB_CHAT", id="upper-case"),
        pytest.param("five_g", id="member-name"),
        pytest.param("51", id="code"),
        pytest.param("", id="empty"),
    ],
)
def test_another_label_is_refused_with_the_names_there_are(label: str) -> None:
    with pytest.raises(ValueError, match=r"is not a channel; channels are email, web_chat, .*5g.* telegram$"):
        Channel.from_label(label)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("54", id="gap-54"),
        pytest.param("55", id="gap-55"),
        pytest.param("49", id="below"),
        pytest.param("64", id="above"),
        pytest.param("051", id="leading-zero"),
        pytest.param(" 51", id="space"),
        pytest.param("\u0665\u0661", id="other-digits"),
    ],
)
def test_another_code_is_refused_with_the_codes_there_are(code: str) -> None:
    with pytest.raises(ValueError, match=r"is not a media type; media types are 50, 51, .* 63$"):
        Channel.from_code(code)
