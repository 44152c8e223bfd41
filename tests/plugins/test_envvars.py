"""Debian's envvars, read as a shell reads it; where both know a value, they agree."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jprs_plugins.envvars import variables

#: As the package apache2 2.4 has it in Debian 12, whole.
DEBIAN = r"""# envvars - default environment variables for apache2ctl

# this won't be correct after changing uid
unset HOME

# for supporting multiple apache2 instances
if [ "${APACHE_CONFDIR##/etc/apache2-}" != "${APACHE_CONFDIR}" ] ; then
	SUFFIX="-${APACHE_CONFDIR##/etc/apache2-}"
else
	SUFFIX=
fi

# Since there is no sane way to get the parsed apache2 config in scripts, some
# settings are defined via environment variables and then used in apache2ctl,
# /etc/init.d/apache2, /etc/logrotate.d/apache2, etc.
export APACHE_RUN_USER=www-data
export APACHE_RUN_GROUP=www-data
# temporary state file location. This might be changed to /run in Wheezy+1
export APACHE_PID_FILE=/var/run/apache2$SUFFIX/apache2.pid
export APACHE_RUN_DIR=/var/run/apache2$SUFFIX
export APACHE_LOCK_DIR=/var/lock/apache2$SUFFIX
# Only /var/log/apache2 is handled by /etc/logrotate.d/apache2.
export APACHE_LOG_DIR=/var/log/apache2$SUFFIX

## The locale used by some modules like mod_dav
export LANG=C
## Uncomment the following line to use the system default locale instead:
#. /etc/default/locale

export LANG

## The command to get the status for 'apache2ctl status'.
## Some packages providing 'www-browser' need '--dump' instead of '-dump'.
#export APACHE_LYNX='www-browser -dump'

## If you need a higher file descriptor limit, uncomment and adjust the
## following line (default is 8192):
#APACHE_ULIMIT_MAX_FILES='ulimit -n 65536'

## If you would like to pass arguments to the web server, add them below
## to the APACHE_ARGUMENTS environment.
#export APACHE_ARGUMENTS=''

## Enable the debug mode for maintainer scripts.
## This will produce a verbose output on package installations of web server modules and web application
## installations which interact with Apache
#export APACHE2_MAINTSCRIPT_DEBUG=1
"""

#: As the images of PHP and others rewrite it.
CONTAINER = re.sub(r"(?m)^export ([^=\n]+)=(.*)$", r': "${\1:=\2}"\nexport \1', DEBIAN)

OF_APACHE = ("SUFFIX", "APACHE_RUN_USER", "APACHE_RUN_GROUP", "APACHE_PID_FILE", "APACHE_RUN_DIR", "APACHE_LOCK_DIR",
             "APACHE_LOG_DIR", "LANG")  # fmt: skip


def as_a_shell_says(text: str, folder: str, *names: str) -> dict[str, str]:
    """What it has then of `names`, started as we start `apache2ctl`."""
    printed = "; ".join(f'printf "%s\\0" "${name}"' for name in names)
    done = subprocess.run(
        ["sh", "-c", f"{text}\n{printed}"],
        env={"PATH": "/usr/bin:/bin", "APACHE_CONFDIR": folder},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return dict(zip(names, done.stdout.split("\0"), strict=False))


def test_what_debian_ships_is_right_for_the_only_instance() -> None:
    assert variables(DEBIAN, "/etc/apache2") == {
        "APACHE_CONFDIR": "/etc/apache2",
        "SUFFIX": "",
        "APACHE_RUN_USER": "www-data",
        "APACHE_RUN_GROUP": "www-data",
        "APACHE_PID_FILE": "/var/run/apache2/apache2.pid",
        "APACHE_RUN_DIR": "/var/run/apache2",
        "APACHE_LOCK_DIR": "/var/lock/apache2",
        "APACHE_LOG_DIR": "/var/log/apache2",
        "LANG": "C",
    }


@pytest.mark.parametrize("folder", ["/etc/apache2", "/etc/apache2-shop", "/srv/apache2-shop", "/etc/apache2-a-b"])
@pytest.mark.parametrize("text", [DEBIAN, CONTAINER], ids=["debian", "container"])
def test_of_every_instance_the_shell_says_the_same(text: str, folder: str) -> None:
    said = as_a_shell_says(text, folder, *OF_APACHE)

    assert variables(text, folder) == {"APACHE_CONFDIR": folder, **said}
    assert said["SUFFIX"] == ("-" + folder[len("/etc/apache2-") :] if folder.startswith("/etc/apache2-") else "")


@pytest.mark.parametrize(
    "text",
    [
        "A=/srv\nexport B=$A/b",
        "A=/srv; export B=${A}b # not this",
        "export A=x B='$A y' C=\"$A y\"d'e'",
        "A=a\\\nb",
        "#export A=x\n  export B=y",
        "export A=${X:-/var/log} B=${A-z} C=${X-z} D=${A:-z}",
        ": ${A:=/var} ${A:=/srv}; B=$A",
        "A=x\nif false; then A=y; else :; fi",
        "A=x\n[ -d /nowhere ] && A=y",
        "A=x\nif false; then\n  if true; then A=y; fi\n  A=z\nfi",
        "A=x\ncase $A in\n  y) A=y ;;\n  z|q) A=z ;;\nesac\nB=$A",
        "A=x\nf() { A=y; }\nB=$A",
        "A=x\ntrue A=y; B=z true\nC=$A",
        "A=x; A=y",
        "A=\nB=$A.",
        "A='it''s' B=\"it's\"",
    ],
)
def test_it_is_read_as_a_shell_does(text: str) -> None:
    said = as_a_shell_says(text, "/etc/apache2", *"ABCD")

    read = variables(text, "/etc/apache2")

    assert {name: read.get(name, "") for name in said} == said


def test_what_only_stands_in_a_condition_is_taken_from_there() -> None:
    text = "if [ -d /data ]; then\n export A=/data/log\nelse\n export A=/var/log\nfi\nexport B=$A/b"
    assert variables(text, "/etc/apache2").items() >= {"A": "/data/log", "B": "/data/log/b"}.items()


@pytest.mark.parametrize("word", ["$(hostname)", "`hostname`", "${B%/}", "a\\ b", "$A$A" * 3000])
def test_what_takes_more_than_reading_is_not_known(word: str) -> None:
    found = variables(f"A=old\nA={word}\nexport C=$A/c D=${{A:-d}}\nexport E=e", "/etc/apache2")
    assert {"A", "C", "D"}.isdisjoint(found)
    assert found["E"] == "e"


PIECES = (
    "A=",
    "$A",
    "${A:=",
    "}",
    "export ",
    "if ",
    "fi",
    ";",
    "\n",
    "'",
    '"',
    "&&",
    "{ ",
    "esac",
    "$",
    "\\",
    "B",
    "`",
)


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_whatever_stands_there_something_is_read(text: str) -> None:
    assert variables(text, "/etc/apache2")["APACHE_CONFDIR"] == "/etc/apache2"
