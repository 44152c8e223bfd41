# Copyright: The jprs-client authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What both modules take: where the program and its files are."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module of the collection."""

    DOCUMENTATION = r"""
options:
  config:
    description:
      - The program's configuration file on the managed host. Files C(conf.d/*.toml) beside it belong to it.
    type: path
    default: /etc/jprs-client/config.toml
  state_dir:
    description:
      - The program's state directory on the managed host.
    type: path
    default: /var/lib/jprs-client
  executable:
    description:
      - The program, as a name to be looked for in the C(PATH) or as a path.
    type: str
    default: jprs-client
  lang:
    description:
      - The language of the program's messages.
    type: str
    choices: [en, ja]
    default: en
  lock_timeout:
    description:
      - How many seconds to wait for another run of the program that is at work.
    type: int
    default: 0
requirements:
  - jprs-client on the managed host
"""
