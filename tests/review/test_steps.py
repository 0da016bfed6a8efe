"""Whoever is at work on the same pull request: one comment of each site is left. Jobs are steps taken in any order."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from reconciler.review.host import Comment
from reconciler.review.marker import Marker
from reconciler.review.standing import Standing
from reconciler.review.sticky import Steps, next_steps


def marker(digit: str) -> Marker:
    return Marker(site="demo", standing=Standing.CHANGES, digest=digit * 64)


def comment(number: int, digit: str) -> Comment:
    return Comment(id=number, marker=marker(digit), body="")


@dataclass
class Page:
    """A pull request as the host keeps it."""

    live: dict[int, str] = field(default_factory=dict)
    added: int = 0

    def look(self) -> list[Comment]:
        return [comment(number, digit) for number, digit in self.live.items()]


@dataclass
class Job:
    """One run of the command: it looks, then does, and others may come in between."""

    digit: str
    fold_old: bool
    told: bool = False
    steps: Steps | None = None
    done: bool = False

    def turn(self, page: Page) -> None:
        if self.steps is None:
            self.steps = next_steps(page.look(), marker(self.digit), fold_old=self.fold_old, told=self.told)
            self.done = self.steps.settled
            return
        steps, self.steps = self.steps, None
        if steps.create:
            page.added += 1
            page.live[page.added] = self.digit
            self.told = True
        if steps.update is not None and steps.update.id in page.live:
            page.live[steps.update.id] = self.digit
            self.told = True
        for each in (*steps.fold, *steps.remove):
            page.live.pop(each.id, None)


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
    st.booleans(),
    st.lists(st.integers(0, 3), max_size=40),
    st.lists(st.sampled_from("0abc"), max_size=2),
)
def test_jobs_in_any_order_leave_one_comment_of_one_of_them(
    digits: list[str], fold_old: bool, order: list[int], before: list[str]
) -> None:
    page = Page(live=dict(enumerate(before, start=1)), added=len(before))
    jobs = [Job(digit, fold_old) for digit in digits]
    turns = [index for index in order if index < len(jobs)] + [index for index in range(len(jobs)) for _ in range(40)]
    for index in turns:
        if not jobs[index].done:
            jobs[index].turn(page)

    assert all(job.done for job in jobs)
    assert len(page.live) == 1
    assert set(page.live.values()) <= set(digits)


@given(st.lists(st.sampled_from("ab"), max_size=3), st.booleans())
def test_a_job_that_runs_again_finds_nothing_to_do(before: list[str], fold_old: bool) -> None:
    page = Page(live=dict(enumerate(before, start=1)), added=len(before))
    job = Job("a", fold_old)
    while not job.done:
        job.turn(page)
    assert next_steps(page.look(), marker("a"), fold_old=fold_old, told=False).settled


def test_a_host_that_shows_late_what_was_added_is_believed() -> None:
    assert next_steps([], marker("a"), fold_old=False, told=True).settled
