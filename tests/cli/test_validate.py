"""`validate`: every problem at once, as the result."""

from __future__ import annotations

from support.site import Site


def test_a_valid_environment_is_said_to_be_in_one_line(site: Site) -> None:
    ended = site.run("validate", "demo")

    assert ended == (type(ended))(0, "Valid: site demo, 5 agents in 2 teams; 0 errors, 0 warnings.\n", "")


def test_problems_of_all_files_come_at_once_on_stdout_with_paths_an_editor_can_open(site: Site) -> None:
    site.edit("fleet.yaml", "profile: chat}", "profil: chat}")
    site.write("more.yaml", "agents:\n  1001: {total: 61, channels: {web_chat: 1}}\n")

    ended = site.run("validate", "demo")

    assert ended.code == 3
    assert "demo/fleet.yaml:7:10: error[" in ended.out
    assert "'profile'" in ended.out
    assert "demo/more.yaml:2:17: error[" in ended.out
    assert ended.last_line.startswith("Invalid: ")
    assert ended.err == ""


def test_the_document_lists_the_diagnostics_with_pointers(site: Site) -> None:
    site.edit("fleet.yaml", "total: 12", "total: twelve")

    document = site.run("validate", "demo", "--json").document

    (problem,) = document["diagnostics"]
    assert (problem["path"], problem["line"], problem["pointer"]) == ("demo/fleet.yaml", 4, "/profiles/chat/total")
    assert document["summary"] == {"agents": None, "teams": None, "errors": 1, "warnings": 0}


def test_warnings_are_shown_and_become_errors_with_strict(site: Site) -> None:
    site.edit("fleet.yaml", "total: 12", "total: 5")

    assert site.run("validate", "demo").code == 0
    assert "warning[" in site.run("validate", "demo").out
    assert site.run("validate", "demo", "--strict").code == 3


def test_an_environment_without_agents_needs_allow_empty(site: Site) -> None:
    site.write("fleet.yaml", "team: east\n")

    refused, allowed = site.run("validate", "demo"), site.run("validate", "demo", "--allow-empty")

    assert (refused.code, allowed.code) == (3, 0)
    assert "--allow-empty" in refused.out


def test_a_directory_of_environments_names_them(site: Site) -> None:
    ended = site.run("validate", ".")

    assert ended.code == 3
    assert "demo" in ended.err


def test_a_name_that_is_like_none_of_several_environments_gets_all_of_them(site: Site) -> None:
    for number in range(14):
        site.write(f"../zone-{number:02}/site.yaml", "name: x\n")

    ended = site.run("validate", "nowhere")

    assert ended.code == 3
    assert "name one of the environments there are: demo, zone-00, zone-01" in ended.err
    assert ended.err.rstrip().endswith("zone-10, and 3 more")


def test_an_environment_below_desired_is_found_by_its_name_alone(site: Site) -> None:
    site.write("../desired/north/site.yaml", "name: x\n")

    ended = site.run("plan", "north")

    assert ended.code == 3
    assert "did you mean desired/north?" in ended.err


def test_a_yaml_file_that_is_no_fleet_is_told_what_it_is_read_as(site: Site) -> None:
    site.write("playbook.yml", "- hosts: all\n")

    assert "is read as a fleet file; keep others elsewhere" in site.run("validate", "demo").out


def test_a_plan_shows_ten_warnings_and_counts_the_rest(site: Site) -> None:
    overrides = "".join(f"  {agent}: {{profile: chat, total: 5}}\n" for agent in range(2001, 2021))
    site.write("more.yaml", f"agents:\n{overrides}")

    ended = site.run("plan", "demo")

    assert ended.err.count("warning[") == 10
    assert "more warnings: reconciler validate demo" in ended.err
