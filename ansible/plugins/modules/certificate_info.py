#!/usr/bin/python
# Copyright: The jprs-client authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The Ansible module `certificate_info`: how things stand, from the program's own records; nobody is asked."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_info
short_description: How account, usage FQDNs and certificates stand
version_added: 0.1.0
description:
  - Returns what C(jprs-client status) shows, from the program's own records. Nothing changes, and nobody is asked.
options:
  names:
    description:
      - Only the certificates of these names. All where it is left out.
    type: list
    elements: str
  versions:
    description:
      - Whether each certificate comes with all its versions, which tell what was revoked, when and why.
    type: bool
    default: false
  explain:
    description:
      - DNS names to be explained, that is, which usage FQDN authorises each and which certificate serves it, or which
        usage FQDN to apply for.
    type: list
    elements: str
  plan:
    description:
      - Whether to return the plan as well.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: It changes nothing.
  diff_mode:
    support: none
    description: It changes nothing.
extends_documentation_fragment:
  - jprs_client.certificates.program
seealso:
  - module: jprs_client.certificates.certificate
author:
  - The jprs-client authors (@jprs-client)
"""

EXAMPLES = r"""
- name: Look at all certificates
  jprs_client.certificates.certificate_info:
  register: found

- name: Stop where one is not in order
  ansible.builtin.assert:
    that: found.certificates | rejectattr('status', 'in', ['valid', 'due']) | length == 0

- name: Ask what a name would need
  jprs_client.certificates.certificate_info:
    explain: [shop.example.jp]
"""

RETURN = r"""
account:
  description: The account at the configured directory; never a key, only its fingerprint.
  type: dict
  returned: always
  sample: {status: valid, directory: "https://acme.amecert.jprs.jp/DV/getDirectory"}
usage_fqdns:
  description: The usage FQDNs and their periods.
  type: list
  elements: dict
  returned: always
  sample:
    - {name: example.jp, term: 1y, status: in-use, started: "2026-11-22", ends: "2027-11-30"}
certificates:
  description: The certificates; with O(versions), each with what was issued for it.
  type: list
  elements: dict
  returned: always
  sample:
    - name: example.jp
      names: [example.jp, www.example.jp]
      serial: 1f2e3d4c5b6a
      not_after: "2027-02-20T12:00:00+09:00"
      status: valid
explained:
  description: An explanation for each name.
  type: list
  elements: dict
  returned: with O(explain)
  sample:
    - {name: www.example.jp, authorised_by: example.jp, served_by: example.jp, apply_for: null}
plan:
  description: What is due, what is coming, and why.
  type: dict
  returned: with O(plan)
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.jprs_client.certificates.plugins.module_utils.program import COMMON, Program, fail

#: The program's word for a name that nobody has applied for: an answer like any other.
NOT_APPLIED_FOR = 4


def main():
    """Run one task."""
    module = AnsibleModule(
        argument_spec={
            **COMMON,
            "names": {"type": "list", "elements": "str"},
            "versions": {"type": "bool", "default": False},
            "explain": {"type": "list", "elements": "str"},
            "plan": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    program = Program(module)
    status = program.ask("status", *(["--", *module.params["names"]] if module.params["names"] else []))
    result = {key: status[key] for key in ("account", "usage_fqdns", "certificates")}
    if module.params["versions"]:
        result["certificates"] = [program.ask("show", "--", each["name"]) for each in status["certificates"]]
    if module.params["explain"] is not None:
        result["explained"] = [_explained(module, program, name) for name in module.params["explain"]]
    if module.params["plan"]:
        result["plan"] = program.ask("plan")
    module.exit_json(changed=False, **result)


def _explained(module, program, name):
    answer = program.run("explain", "--", name)
    if answer.error is not None or answer.rc not in (0, NOT_APPLIED_FOR):
        fail(module, answer)
    return answer.document


if __name__ == "__main__":
    main()
