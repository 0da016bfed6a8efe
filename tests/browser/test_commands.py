"""The pages that commands write, as a user has them."""

from __future__ import annotations

from pathlib import Path

from browser.chrome import Browser
from support.site import Site, run_in

_SAID = "return [...document.querySelectorAll('h1, .verdict')].map((each) => each.textContent)"


def test_a_plan_and_a_validate_write_pages_beside_what_they_print(browser: Browser, tmp_path: Path) -> None:
    Site(tmp_path)
    ended = run_in(tmp_path, "plan", "demo", "--report", "html=plan.html", "--report", "json=plan.json")
    assert ended.code == 0
    browser.open(tmp_path / "plan.html")
    assert browser.ask(_SAID) == ["Plan for site demo", "Can be applied: 5 changes"]

    shown = run_in(tmp_path, "show", "plan.json", "--format", "html")
    assert shown.out == (tmp_path / "plan.html").read_text(encoding="utf-8")


def test_files_that_cannot_be_read_give_a_page_of_their_problems(browser: Browser, tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.edit("fleet.yaml", "whatsapp: 2", "watsapp: 2")
    assert run_in(tmp_path, "validate", "demo", "--report", "html=problems.html").code == 3
    browser.open(tmp_path / "problems.html")
    title, verdict = browser.ask(_SAID)
    assert (title.startswith("Validate"), verdict) == (True, "1 error")
    assert "whatsapp" in browser.ask("return document.querySelector('td.problem').textContent")
