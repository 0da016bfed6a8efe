"""The marker: read back as written, found at the beginning only, and never by accident."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.review.marker import Marker, folded, is_site_name, read_marker
from reconciler.review.standing import Standing, worst

SITES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,62}", fullmatch=True)
MARKERS = st.builds(
    Marker,
    site=SITES,
    standing=st.none() | st.sampled_from(Standing),
    digest=st.text("0123456789abcdef", min_size=64, max_size=64),
)


@given(MARKERS, st.sampled_from(["", "\n", "\r\n"]), st.text())
def test_a_marker_is_read_back_from_the_first_line(marker: Marker, end: str, rest: str) -> None:
    assert read_marker(marker.line + end + (rest if end else "")) == marker


@given(MARKERS, st.text(min_size=1))
def test_a_marker_further_down_is_none(marker: Marker, before: str) -> None:
    assert read_marker(before + marker.line) is None


@given(MARKERS)
def test_a_marker_is_one_html_comment(marker: Marker) -> None:
    assert marker.line.count("<!--") == marker.line.count("-->") == 1
    assert marker.line.startswith("<!--")
    assert marker.line.endswith("-->")


@given(MARKERS, st.integers(0, 200), st.characters())
def test_a_marker_that_was_altered_is_another_or_none(marker: Marker, place: int, char: str) -> None:
    line = marker.line
    place %= len(line)
    altered = line[:place] + char + line[place + 1 :]
    assert (read_marker(altered) == marker) is (altered == line)


@given(MARKERS, st.text())
def test_folding_changes_nothing_but_the_marker(marker: Marker, rest: str) -> None:
    body = f"{marker.line}\n{rest}"
    after = folded(body)
    found = read_marker(after)
    assert found is not None
    assert (found.site, found.standing, found.digest) == (marker.site, None, marker.digest)
    assert after.partition("\n")[2] == rest
    assert folded(after) == after


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert read_marker(text) is None


def test_what_is_none_of_ours_is_not_folded() -> None:
    with pytest.raises(ValueError, match="none of ours"):
        folded("hello")


@pytest.mark.parametrize("site", ["", "Demo", "a b", "-a", "a" * 64, "a\n", "ä", "a-->", "a:b"])
def test_what_no_site_is_called_cannot_stand_in_a_marker(site: str) -> None:
    assert not is_site_name(site)
    with pytest.raises(ValueError, match="cannot stand in a marker"):
        Marker(site=site, standing=None, digest="0" * 64)


@given(st.lists(st.sampled_from(Standing)))
def test_the_worst_is_one_of_them_and_in_no_order(standings: list[Standing]) -> None:
    found = worst(standings)
    assert found == worst(reversed(standings))
    assert (found in standings) if standings else (found is None)


@pytest.mark.parametrize("standing", Standing)
def test_a_label_is_one_that_both_hosts_take(standing: Standing) -> None:
    assert len(standing.label) <= 50
    assert "," not in standing.label
    assert len(standing.meaning) <= 100
    assert len(standing.colour) == 6
    assert set(standing.colour) <= set(string.hexdigits)
