"""What each code of a diagnostic means and what is to be done about it, for the formats that take a help text along.

Rule of this file: it says what docs/diagnostics.md says, word for word; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: Mapping[str, tuple[str, str]] = {
    "no-environment": ("the directory is not there, or is none", "name the environment's directory"),
    "no-site": ("the directory has no `site.yaml`", "add one; `reconciler schema site` describes it"),
    "unreadable": ("the system refused to read a file", "mend its permissions"),
    "not-a-file": ("a device, pipe or directory where a file is expected", "remove it, or begin its name with a dot"),
    "file-too-large": ("over 64 MiB", "split the file"),
    "too-many-files": ("over 10,000 files", "put several agents into one file"),
    "broken-link": ("a link that leads nowhere", "mend or remove it"),
    "link-leaves-directory": (
        "a link to something outside the environment",
        "copy the file: an environment is all that is reviewed",
    ),
    "odd-file-name": ("invisible characters in a name, or an ending such as `.YAML`", "rename the file"),
    "not-utf-8": ("a byte that is not UTF-8", "save the file as UTF-8"),
    "tab-character": ("a tab", "use spaces"),
    "control-character": ("a character nobody can see", "remove it"),
    "yaml-syntax": ("not YAML", "see the place; often a missing colon or indent"),
    "empty-file": ("nothing in it", "remove the file or fill it"),
    "several-documents": ("a second `---`", "one document a file"),
    "directive": ("a line that begins with `%`", "remove it"),
    "tag": ("`!something`", "remove it: types follow from how a value is written"),
    "merge-key": ("`<<`", "use a profile with `extends`"),
    "duplicate-key": ("a key stands twice in one mapping", "remove one; other readers would take the last silently"),
    "key-not-text": ("a key that is a list or a mapping", "write a plain key"),
    "key-too-long": ("over 256 characters", "shorten it"),
    "nesting-too-deep": ("over 32 levels", "nothing here needs that many"),
    "further-problems": (
        "more than 10,000 problems in one file: the first are listed, and this says how many more there are",
        "mend those that are listed; often they have one cause",
    ),
    "aliases-explode": ("aliases stand for over 10,000 values", "use profiles"),
    "alias-to-itself": ("an alias inside its own anchor", "remove it"),
    "unknown-alias": ("an alias without an anchor before it", "remove it"),
    "non-finite-number": ("`.inf`, `.nan`, or too large a number", "write a number"),
    "whole-number-as-float": ("`9.0` or `1e1`", "write `9`, `10`"),
    "number-too-long": ("over 18 digits", "write a smaller number"),
    "unknown-key": (
        "a setting that does not exist, or not there",
        "take the one it suggests, or move it where it says",
    ),
    "unknown-channel": ("a channel that does not exist", "take the one it suggests"),
    "unknown-value": ("a word that is not one of those possible", "take one of those it lists"),
    "misplaced-key": ("a setting of another kind of source or backend", "remove it, or change `source` or `backend`"),
    "missing-key": ("a setting that has to be there", "add it"),
    "wrong-type": (
        "text where a number is wanted, or the like; `no`, `010` and `12:30` are text",
        "write it as it says",
    ),
    "wrong-format": ("text that is not written as it has to be", "write it as it says"),
    "out-of-range": ("a number that is too small or too large", "see the range in the message"),
    "empty": ("nothing where something is needed", "fill it or remove the key"),
    "too-long": ("longer than can be right", "shorten it"),
    "invalid": ("refused by the schema for another reason", "see the message"),
    "invalid-agent-id": ("not 101 to 999999, or not a range such as `1003-1050`", "correct the key"),
    "invalid-profile-name": ("a profile's name with other characters than letters, digits, `.`, `_`, `-`", "rename it"),
    "invalid-retcode": (
        "a key under `retcodes` that is neither a retcode, nor a family of them, nor a refusing HTTP status",
        "write it as the gateway does, such as `106-011`, `106-*` for the family, `http-401` for a status",
    ),
    "invalid-url": ("not `https://host:port`, or for a proxy `http://host:port`", "correct it"),
    "contradiction": ("two settings that cannot both be meant", "remove one"),
    "duplicate-agent": ("an agent stands in two declarations; both places are named", "remove one"),
    "duplicate-profile": ("a profile stands twice", "rename or remove one"),
    "unknown-profile": ("a profile nobody declares", "take the one it suggests"),
    "profile-cycle": ("profiles that extend one another in a circle", "break it"),
    "no-total": ("an agent or profile in use without a total", "give it one"),
    "no-channel": ("an agent without any channel", "give it one, or remove the agent"),
    "no-agents": ("nobody at all: nearly always a broken checkout", "`--allow-empty` if it is meant"),
    "channel-above-total": ("a channel can never reach its number", ""),
    "sum-above-total": ("the channels cannot all be full at once; often meant so", ""),
    "all-channels-zero": ("no session can be handled concurrently", ""),
    "agent-in-reserved-range": ("60000 to 69999 is left out on other pages of the API reference", ""),
    "protects-nobody": (
        (
            "`guardrails.protected` or `capacity_floor` names a team, agents or a channel that no file declares: often"
            " misspelt, and then nobody is protected"
        ),
        "",
    ),
    "certificate-not-checked": (
        (
            "`gateway.insecure: true` takes any certificate: whoever is between can read every Guid; name a "
            "`ca_file` instead"
        ),
        "",
    ),
    "sessions-not-encrypted": (
        (
            "`sessions.url` begins with `redis://` and leads to another machine: whoever is between can read "
            "every Guid; use `rediss://`"
        ),
        "",
    ),
    "unused-profile": ("no agent uses it", ""),
    "dropped-channel-not-inherited": ("`null` for a channel that is not there", ""),
    "git-must-follow": (
        "after a rollback the YAML still asks these agents for something else",
        "revert the commit, or the next plan lists them again",
    ),
    "changed-since-unknown": (
        (
            "the files of the environment at the revision of `--changed-since` are invalid or cannot be read, so the "
            "plan is of everybody"
        ),
        "nothing, if this change mends them",
    ),
    "rollback-file-not-settled": (
        "the rollback file could not be written a second time, after the run",
        "nothing: as it was written before the first call it leads back too",
    ),
    "history-not-kept": (
        "what a run did could not be put into the [history](state-commands.md#history) beside the state",
        "make room there; nothing else depends on it",
    ),
    "history-unreadable": (
        "a file of the history is damaged or of a newer format, or the state is, and is left out",
        "see the file and the byte it names; it may be removed",
    ),
    "left-signed-in": (
        "these agents were signed in and could not be signed out again",
        "sign them out in the console, or wait two minutes",
    ),
    "maybe-signed-in": ("a sign-in was sent and no answer came, so these agents may be signed in", "as above"),
    "forced-sign-in": ("these agents were signed in by force, and whoever was at that desk is thrown out", "tell them"),
    "signed-in": ("how many agents were signed in and out; it comes with every such run", "nothing"),
}
"""Each code, with its meaning and its remedy as Markdown; the latter is empty where there is nothing to say."""
