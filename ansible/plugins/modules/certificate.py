#!/usr/bin/python
# Copyright: The jprs-client authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The Ansible module `certificate`: thin over the program's JSON. It never talks to a CA itself."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate
short_description: Served certificates of JPRS's service, from nothing in one task
version_added: 0.1.0
description:
  - Declares usage FQDNs and a certificate for them, creates the ACME account where there is none, and lets
    jprs-client do what is due, which is to issue, install and look whether it is served.
  - The module writes the program's configuration and runs the program; it never talks to a certification authority
    itself.
  - Two files below C(conf.d/) beside O(config) are the module's. C(ansible-NAME.toml) holds the usage FQDNs and the
    certificate, C(ansible.toml) holds O(settings). No other file is touched. Where O(config) does not exist, one
    with nothing but a comment is made.
  - What is wrong with the configuration is found before anything is written. A change that would end the management
    of another certificate is refused.
options:
  state:
    description:
      - V(present) means that the certificate is issued, installed and served with these names.
      - V(absent) takes the declaration back and lets the program archive the certificate; its files stay.
      - V(revoked) revokes the certificate for what O(because) says. The configuration is not touched.
    type: str
    choices: [present, absent, revoked]
    default: present
  name:
    description:
      - The certificate's name, which is also the folder's below C(live/).
      - Without it, the first of O(usage_fqdns) that is no wildcard, or C(wildcard.) and the domain.
    type: str
  usage_fqdns:
    description:
      - What was applied for through the operator, and what the certificate is to carry.
      - Each is C(NAME:TERM) with the term V(1m) or V(1y); or a dictionary with C(name), C(term) and, where needed,
        C(continuation_term), C(started), C(ends), C(terminating), C(start_usage) and C(derived), as in the
        configuration; or C(NAME) alone for one that is declared elsewhere. A usage FQDN is declared once.
    type: list
    elements: raw
  names:
    description:
      - Exactly these names, instead of all that O(usage_fqdns) authorise.
    type: list
    elements: str
  key_type:
    description:
      - The certificate's key, V(ecdsa-p256) where nothing else is configured.
    type: str
    choices: [ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096]
  solver:
    description:
      - How control of the names is proved, either the name of a solver in O(settings), or a dictionary of names and
        solvers with C(default) for the others.
    type: raw
  install:
    description:
      - Where the certificate goes, by the names of installers.
    type: list
    elements: str
  settings:
    description:
      - The other tables of the configuration, such as C(account), C(ca), C(dns), C(solver) and C(installer), with
        the keys that the program's manual lists.
      - They are all of C(conf.d/ansible.toml), so tasks on one host say the same here, best by C(module_defaults).
        Without this option that file is left as it is.
      - Secrets do not belong here. The program refuses them and wants the name of a file instead.
    type: dict
  eab_key_id:
    description:
      - The key identifier of the operator's credentials, used once, to create the account.
    type: str
  eab_hmac_key:
    description:
      - The HMAC key of the operator's credentials, in base64url.
      - It lies in a file that only its owner can read while the account is created, and nowhere afterwards.
    type: str
  eab_credentials:
    description:
      - A file on the managed host with the credentials, instead of O(eab_key_id) and O(eab_hmac_key).
    type: path
  agree_terms:
    description:
      - Whether you agree to the service's terms of use. Without it no account is created.
    type: bool
    default: false
  consent_ct:
    description:
      - Whether you consent to the disclosure in Certificate Transparency logs. Without it no account is created.
    type: bool
    default: false
  start_usage:
    description:
      - Whether a first issuance may start a usage period, which is charged for.
    type: bool
    default: false
  because:
    description:
      - For O(state=revoked), what happened. The reason code follows from it.
    type: list
    elements: str
    choices: [key-compromised, control-lost, site-closed, organization-changed, replaced, non-conforming]
  replace:
    description:
      - For O(state=revoked), whether the certificate is replaced first. Without it, it is where its site goes on.
    type: bool
  serial:
    description:
      - For O(state=revoked), which certificate, by its serial number in hexadecimal. Without it, the one in service.
      - A playbook that says which one can be run at any time. Without it, a certificate whose predecessor was revoked
        for the same reason is left alone with a warning, and once it has been renewed, the module wants to know which
        is meant.
    type: str
attributes:
  check_mode:
    support: full
    description: Shows what the program's plan says for the configuration as it would be; writes nothing, asks nobody.
  diff_mode:
    support: full
    description: Shows names, dates and the configuration, never a key or a secret.
  idempotent:
    support: full
    description: Where nothing is due, no CA is asked for anything.
extends_documentation_fragment:
  - jprs_client.certificates.program
seealso:
  - module: jprs_client.certificates.certificate_info
author:
  - The jprs-client authors (@jprs-client)
"""

EXAMPLES = r"""
- name: From nothing to a served certificate
  jprs_client.certificates.certificate:
    usage_fqdns:
      - example.jp:1y
    settings:
      account:
        contact: [admin@example.jp]
    install: [nginx]
    eab_key_id: "{{ eab_key_id }}"
    eab_hmac_key: "{{ eab_hmac_key }}"
    agree_terms: true
    consent_ct: true
    start_usage: true

- name: Two usage FQDNs on one certificate, the wildcard proved by DNS
  jprs_client.certificates.certificate:
    name: shop
    usage_fqdns:
      - name: shop.example.jp
        term: 1y
      - name: "*.shop.example.jp"
        term: 1m
        continuation_term: 1y
    solver:
      "*.shop.example.jp": dns
      default: web
    install: [nginx]

- name: The key has leaked
  jprs_client.certificates.certificate:
    name: shop
    state: revoked
    because: [key-compromised]
    serial: 1f2e3d4c5b6a

- name: No longer managed here
  jprs_client.certificates.certificate:
    name: shop
    state: absent
"""

RETURN = r"""
name:
  description: The certificate's name.
  type: str
  returned: always
  sample: example.jp
certificate:
  description: The certificate as C(jprs-client status) shows it, in check mode as it is now.
  type: dict
  returned: when there is one
  sample:
    name: example.jp
    names: [example.jp, www.example.jp]
    serial: 1f2e3d4c5b6a
    not_before: "2026-11-22T12:00:00+09:00"
    not_after: "2027-02-20T12:00:00+09:00"
    status: valid
    live: /var/lib/jprs-client/live/example.jp
account_status:
  description: The account's status before the task.
  type: str
  returned: for O(state=present)
  sample: valid
registered:
  description: Whether the account was created, or would be.
  type: bool
  returned: for O(state=present)
actions:
  description: What was done; in check mode what would be done, as C(jprs-client plan) has it.
  type: list
  elements: dict
  returned: always
  sample:
    - action: issue
      certificate: example.jp
      names: [example.jp, www.example.jp]
      reason: never-issued
      starts_usage: [example.jp]
files:
  description: The configuration files that were changed, or would be.
  type: list
  elements: str
  returned: always
  sample: [/etc/jprs-client/conf.d/ansible-example.jp.toml]
rc:
  description: The program's exit code.
  type: int
  returned: when the program was run and failed
  sample: 4
error_code:
  description: The program's stable code of what went wrong.
  type: str
  returned: when the program was run and failed
  sample: start-not-confirmed
next_step:
  description: What to do now, in the program's words.
  type: str
  returned: when the program was run and failed
"""

import os
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.jprs_client.certificates.plugins.module_utils.declaration import (
    NAME,
    Declaration,
    Files,
    settings_text,
)
from ansible_collections.jprs_client.certificates.plugins.module_utils.program import COMMON, Program, fail
from ansible_collections.jprs_client.certificates.plugins.module_utils.standing import (
    REPLACEMENTS,
    diff_of,
    foreseen,
)
from ansible_collections.jprs_client.certificates.plugins.module_utils.toml_text import toml_text

#: The code that follows from a circumstance (ご利用条件 第11条2項の2). Only for telling whether it was revoked so
#: already: what is sent is the program's to decide.
REASONS = {
    "key-compromised": 1,
    "control-lost": 5,
    "site-closed": 5,
    "organization-changed": 3,
    "replaced": 4,
    "non-conforming": 0,
}
GRAVEST_FIRST = (1, 5, 3, 4, 0)


class Task:
    """One task of a playbook, on one host."""

    def __init__(self, module):
        self.module = module
        self.params = module.params
        self.declaration = Declaration(self.params) if self.params["state"] == "present" else None
        self.name = self.declaration.name if self.declaration else _named(self.params)
        self.files = Files(self.params["config"])
        self.program = Program(module)
        self.result = {"changed": False, "name": self.name, "actions": [], "files": [], "diff": []}

    # -- the three states ---------------------------------------------------------------------------------------------

    def present(self):
        """The certificate is issued, installed and served, with the names that the task says."""
        self.files.want(self._own_file, self.declaration.text)
        if self.params["settings"] is not None:
            self.files.want("ansible.toml", settings_text(self.params["settings"]))
        self._show_files()
        looked = self._aside()
        status, plan = looked.ask("status"), looked.ask("plan")
        self._refuse_to_drop_others(plan)
        before = self._certificate(status)
        due = self._of_this(plan["actions"])
        if before is not None and before["serial"] and not due:
            due = self._overwritten(looked, before)
        unregistered = status["account"]["status"] == "unregistered"
        self.result.update(account_status=status["account"]["status"], registered=unregistered)
        self.result["changed"] = bool(self.result["files"] or unregistered or due)
        problems = self._of_this(plan["problems"])
        if unregistered and not (self.params["agree_terms"] and self.params["consent_ct"]):
            self.result.update(changed=False, registered=False)
            self._refused_without_consent(looked)
        if unregistered:
            self.result["diff"].append(
                {"before_header": "account", "after_header": "account", "before": "", "after": "status: valid\n"}
            )
        if self.module.check_mode:
            self._foresee(before, due)
            for problem in problems:
                self.module.warn(f"{problem['message']} {problem['remedy']}")
            starts = sorted({name for action in due for name in action.get("starts_usage", [])})
            if starts and not self._may_start(starts):
                self.module.warn(f"A usage period would start ({', '.join(starts)}): that needs start_usage: true.")
            return
        self.result["changed"] = bool(self.result["files"])
        self.files.write(self.module)
        self.result["registered"] = False
        if unregistered:
            self._register()
        if [action for action in due if action.get("asked_by") == "module"]:
            self._do("install", self.name)
        elif due or problems:
            self._do("apply", self.name, *(["--start-usage"] if self.params["start_usage"] else []))
        after = self._certificate(self.program.ask("status")) if self.result["changed"] else before
        self.result["certificate"] = after
        self._show_standing(before, after)
        self._refuse_unless_good(after)

    def absent(self):
        """Nothing declares the certificate any more, and the program has archived it."""
        self.files.want(self._own_file, None)
        if not self.files.is_there and not (self.files.conf_d / self._own_file).exists():
            return
        self._show_files()
        looked = self._aside()
        status, plan = looked.ask("status"), looked.ask("plan")
        if self.name in _looked_after(plan):
            self.module.fail_json(
                msg=f"{self.name} is declared in the configuration by somebody else than this module; take it out of "
                f"{self.files.config} or of the files in {self.files.conf_d}.",
                **self.result,
            )
        self._refuse_to_drop_others(plan)
        before, due = self._certificate(status), self._of_this(plan["actions"])
        self.result["changed"] = bool(self.result["files"] or due)
        if self.module.check_mode:
            self._foresee(before, due)
            return
        self.files.write(self.module)
        if due:
            self._do("apply", self.name)
        self._show_standing(before, None)

    def revoked(self):
        """The certificate is revoked for what happened; another one stands in its place where its site goes on."""
        before = self.program.ask("show", self.name)
        plan = self.program.ask("plan")
        self.result["certificate"] = before
        serial = _bare(self.params["serial"])
        waiting = [each for each in self._of_this(plan["actions"] + plan["upcoming"]) if each["action"] == "revoke"]
        held_up = next((each for each in waiting if serial in (None, each["target"])), None)
        if held_up is not None:
            serial = held_up["target"]  # asked for by an earlier run: the one in service may be its replacement
        if self._is_revoked(before, serial):
            return
        arguments = ["revoke", self.name]
        for circumstance in self.params["because"]:
            arguments += ["--because", circumstance]
        if serial is not None:
            arguments += ["--serial", serial]
        if self.params["replace"] is not None:
            arguments.append("--replace" if self.params["replace"] else "--no-replace")
        goes_on = held_up is not None and self._asks_for_no_more(held_up)
        if self.module.check_mode:
            if not goes_on:
                asked = self.program.run(*arguments)  # without --yes it only says what it would do
                if asked.error is None or asked.error["code"] != "yes-needed":
                    fail(self.module, asked, **self.result)
            self._foresee_revocation(before, serial or before["serial"])
            return
        if goes_on:
            self._do("apply", self.name)  # installed first, revoked then; asking again would skip the first
        else:
            self._do(*arguments, "--yes", always_changes=True)
        after = self.program.ask("show", self.name)
        self.result["certificate"] = after
        for version in after.get("versions", []):
            old = next(each for each in before["versions"] + [version] if each["serial"] == version["serial"])
            if version["revoked_at"] and not old["revoked_at"]:
                said = f"{version['revoked_at']}, reason {version['revocation_reason']}"
                self.result["diff"].append(_revocation_diff(self.name, version["serial"], "-", said))
        self._show_standing(before if "status" in before else None, after if "status" in after else None)

    # -- looking ------------------------------------------------------------------------------------------------------

    @property
    def _own_file(self):
        return f"ansible-{self.name}.toml"

    def _aside(self):
        """The program on the configuration as it would be; on the real one where nothing would change."""
        if not self.files.changes:
            return self.program
        copy = self.files.laid_out(self.module.tmpdir)
        return Program(self.module, copy, (copy.parent, self.files.folder))

    def _show_files(self):
        for path, before, after in self.files.changes:
            name = str(path)
            self.result["files"].append(name)
            self.result["diff"].append(
                {"before_header": name, "after_header": name, "before": before or "", "after": after or ""}
            )

    def _certificate(self, status):
        return next((each for each in status["certificates"] if each["name"] == self.name), None)

    def _of_this(self, found):
        """The actions or problems of this certificate."""
        return [each for each in found if each.get("certificate") == self.name]

    def _refuse_to_drop_others(self, plan):
        """A `[[certificate]]` beside none would end the certificates that each usage FQDN has by itself."""
        if not self.files.is_there or not self.files.changes:
            return
        dropped = {each["certificate"] for each in plan["actions"] if each["action"] == "remove"}
        kept = {each["certificate"] for each in plan["actions"] + plan["upcoming"]} - dropped
        lost = sorted(_looked_after(self.program.ask("plan")) - kept - {self.name})
        if lost:
            self.module.fail_json(
                msg=f"With this, {', '.join(lost)} would no longer be looked after: once one certificate is declared "
                "by hand, the others have to be, too. Declare each in a task of its own.",
                **{**self.result, "files": [], "diff": []},
            )

    def _overwritten(self, looked, before):
        """The installations whose files are not what was installed, as actions; the plan goes by what was done."""
        if not before["installed"]:
            return []
        changes = looked.ask("install", self.name, "--show").get("changes", [])
        return [
            {
                "action": "install", "certificate": self.name, "names": before["names"], "target": change["target"],
                "reason": "files-differ", "files": files, "starts_usage": [], "asked_by": "module",
            }
            for change in changes
            for files in [[file["path"] for file in change["files"] if file["change"] != "same"]]
            if files
        ]  # fmt: skip

    def _may_start(self, starts):
        allowed = {table["name"] for table in self.declaration.usages if table.get("start_usage")}
        return self.params["start_usage"] or set(starts) <= allowed

    def _asks_for_no_more(self, held_up):
        """Whether the task says nothing that the revocation which waits does not have already."""
        said = held_up["reason_text"]  # tells the circumstances in the words of the command line, in every language
        return self.params["replace"] is None and all(each in said for each in self.params["because"])

    def _foresee_revocation(self, shown, serial):
        action = {"action": "revoke", "certificate": self.name, "names": shown.get("names", []), "target": serial}
        because = f"asked for: {', '.join(self.params['because'])}"
        self.result.update(changed=True, actions=[action], diff=[_revocation_diff(self.name, serial, "-", because)])

    def _is_revoked(self, shown, serial):
        """Whether what the task asks for has been done before. Where that cannot be told, the module fails."""
        versions = shown.get("versions", [])
        if serial is not None:
            return any(each["serial"] == serial and each["revoked_at"] for each in versions)
        if shown.get("revoked_at"):
            return True
        holding = {REASONS[circumstance] for circumstance in self.params["because"]}
        code = next(each for each in GRAVEST_FIRST if each in holding)
        codes = {code, 4} if code == 0 else {code}  # being replaced counts as well, where nothing graver does
        so = [each["version"] for each in versions if each["revoked_at"] and each["revocation_reason"] in codes]
        if not so or shown.get("version") is None:
            return False
        if shown["version"] <= max(so) + 1:
            self.module.warn(
                f"{self.name} was revoked for this reason before; {shown['serial']}, which replaced it, is left alone. "
                f"If it is meant, too, say so: serial: {shown['serial']}"
            )
            return True
        return self.module.fail_json(
            msg=f"A certificate of {self.name} was revoked for this reason before, and others have been issued since. "
            f"Say which one is meant: serial: {shown['serial']} for the one in service.",
            **self.result,
        )

    # -- doing --------------------------------------------------------------------------------------------------------

    def _refused_without_consent(self, looked):
        """The program's own refusal: it says what is to be agreed to, and asks nobody."""
        answer = looked.run("register", *self._consents)
        fail(self.module, answer, **{**self.result, "files": [], "diff": []})

    @property
    def _consents(self):
        options = {"agree_terms": "--agree-terms", "consent_ct": "--consent-ct"}
        return [option for key, option in options.items() if self.params[key]]

    def _register(self):
        """Create the account. Credentials in the task lie in a file of their own for just so long."""
        credentials, given = self.params["eab_credentials"], None
        if self.params["eab_hmac_key"] is not None:
            text = toml_text({"key_id": self.params["eab_key_id"], "hmac_key": self.params["eab_hmac_key"]})
            fd, given = tempfile.mkstemp(dir=self.module.tmpdir)  # 0600, in a folder that is 0700
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text)
        try:
            path = given or credentials
            answer = self.program.run("register", *self._consents, *(["--eab-credentials", path] if path else []))
        finally:
            if given is not None:
                Path(given).unlink()
        if answer.error is not None or answer.rc != 0:
            fail(self.module, answer, **self.result)
        self.result.update(changed=True, registered=True)

    def _do(self, *arguments, always_changes=False):
        """A command that changes things: what it did counts, also where it failed in the end."""
        answer = self.program.run(*arguments)
        self.result["actions"] = answer.done
        if answer.done or (always_changes and answer.error is None):
            self.result["changed"] = True
        if answer.error is not None or answer.rc != 0:
            fail(self.module, answer, **self.result)

    def _refuse_unless_good(self, certificate):
        """The program had nothing to do, and yet there is no good certificate: somebody has to decide."""
        status = certificate["status"] if certificate else "missing"
        if status in ("valid", "due"):
            return
        why = f"The certificate {self.name} is {status}, and nothing is planned for it."
        if status == "revoked":
            why += f" If it is to be in service again: jprs-client renew {self.name} --force; otherwise state: absent."
        self.module.fail_json(msg=why, **self.result)

    # -- showing ------------------------------------------------------------------------------------------------------

    def _foresee(self, before, due):
        self.result["actions"] = [{key: each[key] for key in each if key != "asked_by"} for each in due]
        self.result["certificate"] = before
        self._show_standing(before, foreseen(before, due))

    def _show_standing(self, before, after):
        shown = diff_of(self.name, (before if before and before["serial"] else None, after))
        if shown["before"] != shown["after"]:
            self.result["diff"].append(shown)


def _looked_after(plan):
    """The certificates that a plan has issued or renewed."""
    return {each["certificate"] for each in plan["actions"] + plan["upcoming"] if each["action"] in REPLACEMENTS}


def _named(params):
    """The name of a certificate that need not be declared. Raises ValueError."""
    if params["name"] is None:
        return Declaration({**params, "names": params["names"]}).name
    if not NAME.fullmatch(params["name"].replace("*.", "", 1)):
        raise ValueError(f"there is no certificate with such a name: {params['name']!r}")
    return params["name"]


def _bare(serial):
    """As the program writes serials: lower-case hexadecimal without leading zeros or colons."""
    return serial.lower().replace(":", "").lstrip("0") if serial is not None else None


def _revocation_diff(name, serial, before, after):
    header = f"revocation of {name}, serial {serial}"
    return {"before_header": header, "after_header": header, "before": f"{before}\n", "after": f"{after}\n"}


def main():
    """Run one task."""
    module = AnsibleModule(
        argument_spec={
            **COMMON,
            "state": {"type": "str", "choices": ["present", "absent", "revoked"], "default": "present"},
            "name": {"type": "str"},
            "usage_fqdns": {"type": "list", "elements": "raw"},
            "names": {"type": "list", "elements": "str"},
            "key_type": {"type": "str", "choices": ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096"]},
            "solver": {"type": "raw"},
            "install": {"type": "list", "elements": "str"},
            "settings": {"type": "dict"},
            "eab_key_id": {"type": "str", "no_log": False},
            "eab_hmac_key": {"type": "str", "no_log": True},
            "eab_credentials": {"type": "path", "no_log": False},
            "agree_terms": {"type": "bool", "default": False},
            "consent_ct": {"type": "bool", "default": False},
            "start_usage": {"type": "bool", "default": False},
            "because": {"type": "list", "elements": "str", "choices": list(REASONS)},
            "replace": {"type": "bool"},
            "serial": {"type": "str"},
        },
        required_if=[
            ("state", "present", ("usage_fqdns", "names"), True),
            ("state", "absent", ("name", "usage_fqdns", "names"), True),
            ("state", "revoked", ("name", "usage_fqdns", "names"), True),
            ("state", "revoked", ("because",)),
        ],
        required_together=[("eab_key_id", "eab_hmac_key")],
        mutually_exclusive=[("eab_hmac_key", "eab_credentials")],
        supports_check_mode=True,
    )
    try:
        task = Task(module)
        {"present": task.present, "absent": task.absent, "revoked": task.revoked}[module.params["state"]]()
    except ValueError as problem:
        module.fail_json(msg=str(problem))
    except OSError as problem:
        module.fail_json(msg=f"{problem.filename}: {problem.strerror}")
    module.exit_json(**task.result)


if __name__ == "__main__":
    main()
