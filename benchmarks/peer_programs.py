"""The peers: other tools of the kind, each in an environment of its own, and input of the same shape for them.

Rules of this file: a peer is installed once, from PyPI, at the version that stands in `peers/`, into `.peers` beside
this file; nothing of it is imported here. Its input holds as many things as the fleet it is compared with has agents,
and 1 % of them differ from what is recorded, as in the fleet.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

from measuring import Command

HERE = Path(__file__).parent
CHANGED_SHARE = 100
"""One in so many differs."""
_ZONE = "fleet.test."
_OCTODNS_CONFIG = """\
manager: {{max_workers: 1}}
providers:
  wanted: {{class: octodns.provider.yaml.YamlProvider, directory: ./wanted, default_ttl: 300, enforce_order: false}}
  there: {there}
zones:
  fleet.test.: {{sources: [wanted], targets: [there]}}
"""
_YAML_TARGET = "{class: octodns.provider.yaml.YamlProvider, directory: ./there, default_ttl: 300, enforce_order: false}"
_RECORDED_TARGET = "{class: recorded.RecordedProvider, path: ./there.json}"


def installed(name: str) -> Path:
    """Return the `bin` directory of the peer called `name`, installing it first if need be."""
    home, wanted = HERE / ".peers" / name, HERE / "peers" / f"{name}.txt"
    ready = home / ".installed"
    if not ready.exists() or ready.read_bytes() != wanted.read_bytes():
        print(f"installing {wanted.read_text().strip()} beside this file", file=sys.stderr, flush=True)
        venv.create(home, clear=True, with_pip=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "--requirement", str(wanted)], check=True, stderr=subprocess.DEVNULL)
        ready.write_bytes(wanted.read_bytes())
    return home / "bin"


def octodns_plan(folder: Path, records: int, *, recorded: bool) -> Command:
    """Return octoDNS's plan of a zone of so many A records, against another YAML file or against a recorded target."""
    (folder / "wanted").mkdir(parents=True)
    (folder / "there").mkdir()
    wanted, there = _addresses(records, changed=True), _addresses(records, changed=False)
    (folder / "wanted" / f"{_ZONE}yaml").write_text("---\n" + "".join(_yaml_record(*each) for each in wanted))
    if recorded:
        entries = {name: {"type": "A", "ttl": 300, "value": address} for name, address in there}
        (folder / "there.json").write_text(json.dumps(entries))
    else:
        (folder / "there" / f"{_ZONE}yaml").write_text("---\n" + "".join(_yaml_record(*each) for each in there))
    (folder / "config.yaml").write_text(_OCTODNS_CONFIG.format(there=_RECORDED_TARGET if recorded else _YAML_TARGET))
    words = [str(installed("octodns") / "octodns-sync"), "--config-file", "config.yaml", "--force"]
    return Command(words=words, cwd=folder, environ={"PYTHONPATH": str(HERE / "peers")})


def terraform_plan(folder: Path, blocks: int) -> Command:
    """Return Terraform's plan of so many `terraform_data` blocks against a local state."""
    folder.mkdir(parents=True)
    numbers = range(blocks)
    (folder / "main.tf").write_text("".join(_block(each, total=_total(each, changed=True)) for each in numbers))
    state = {
        "version": 4,
        "terraform_version": "1.9.0",
        "serial": 1,
        "lineage": "c3f8b1d2-9f0e-4a4e-9a6c-0f6f4f0f5b11",
        "outputs": {},
        "resources": [_resource(each, total=_total(each, changed=False)) for each in numbers],
        "check_results": None,
    }
    (folder / "terraform.tfstate").write_text(json.dumps(state))
    words = [str(installed("terraform") / "python"), str(HERE / "peers" / "terraform_plan.py")]
    subprocess.run([*words, "init"], cwd=folder, check=True, capture_output=True)
    return Command(words=[*words, "plan"], cwd=folder)


def jsonschema_check(schema: Path, files: list[Path]) -> Command:
    """Return check-jsonschema's look at these files."""
    program = installed("check-jsonschema") / "check-jsonschema"
    return Command(words=[str(program), "--schemafile", str(schema), *map(str, files)])


def _addresses(records: int, *, changed: bool) -> Iterator[tuple[str, str]]:
    chance = random.Random(records)
    for number in range(records):
        last = chance.randint(1, 250)
        differs = changed and number % CHANGED_SHARE == 0
        yield f"a{number:06}", f"10.{number >> 8 & 255}.{number & 255}.{last + differs}"


def _yaml_record(name: str, address: str) -> str:
    return f"{name}:\n  ttl: 300\n  type: A\n  value: {address}\n"


def _total(number: int, *, changed: bool) -> int:
    return number % 59 + (changed and number % CHANGED_SHARE == 0) + 1


def _block(number: int, *, total: int) -> str:
    values = f"total = {total}, web_chat = {number % 9}, sms = 6"
    return f'resource "terraform_data" "agent_{number}" {{\n  input = {{ {values} }}\n}}\n'


def _resource(number: int, *, total: int) -> dict[str, object]:
    values = {"sms": 6, "total": total, "web_chat": number % 9}
    kinds = ["object", dict.fromkeys(values, "number")]
    carried = {"type": kinds, "value": values}
    attributes = {"id": f"id-{number}", "input": carried, "output": carried, "triggers_replace": None}
    instance = {"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": f"agent_{number}",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [instance],
    }
