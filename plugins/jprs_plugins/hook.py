"""dns-01 or http-01 by a program of the subscriber's own; hooks written for certbot need little change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from jprs_client.errors import ChallengeFailed, harmless
from jprs_client.plugin import Options, Proof
from jprs_plugins.processes import UnsafeProgram, inherited, output_of

DEFAULT_SECONDS = 120


class Hook:
    """Calls `command` with `present` or `clean-up` as its last argument; the proof is in the environment.

    `challenge` says what it proves by, `timeout` how many seconds it may take.
    """

    challenge_type: str = "dns-01"
    options: ClassVar[Options] = {"command": "command!", "challenge": "str", "timeout": "int"}

    def __init__(self, settings: Mapping[str, object], /) -> None:
        """Raises ChallengeFailed solver-hook-challenge, solver-hook-timeout-unusable, solver-hook-no-command."""
        command = settings["command"]
        self._command: tuple[str, ...] = tuple(command) if isinstance(command, list | tuple) else (str(command),)
        if not self._command or not self._command[0]:
            raise ChallengeFailed("solver-hook-no-command")
        self.challenge_type = str(settings.get("challenge", "dns-01"))
        if self.challenge_type not in {"dns-01", "http-01"}:
            raise ChallengeFailed("solver-hook-challenge", command=self._shown, challenge=harmless(self.challenge_type))
        seconds = settings.get("timeout", DEFAULT_SECONDS)
        if not isinstance(seconds, int) or seconds < 1:
            raise ChallengeFailed("solver-hook-timeout-unusable", command=self._shown, timeout=harmless(seconds))
        self._seconds = seconds
        self._said: dict[Proof, str] = {}

    @property
    def _shown(self) -> str:
        return harmless(" ".join(self._command), 200)

    def present(self, proof: Proof, /) -> None:
        """Have the program put `proof` up.

        Raises ChallengeFailed: solver-hook-missing, solver-hook-failed, solver-hook-timeout, program-unsafe.
        """
        self._said[proof] = self._call("present", proof, {})

    def clean_up(self, proof: Proof, /) -> None:
        """Have the program take `proof` down; it is called whether it had put it up or not. Raises as `present`."""
        said = self._said.pop(proof, None)
        self._call("clean-up", proof, {} if said is None else {"CERTBOT_AUTH_OUTPUT": said})

    def _call(self, verb: str, proof: Proof, more: Mapping[str, str]) -> str:
        """What the program said on standard output and error, its end if that was much."""
        try:
            exit_code, said = output_of((*self._command, verb), environment_for(proof) | dict(more), self._seconds)
        except TimeoutError as error:
            raise ChallengeFailed(
                "solver-hook-timeout", command=self._shown, verb=verb, name=proof.name, timeout=self._seconds
            ) from error
        except UnsafeProgram as unsafe:
            raise ChallengeFailed("program-unsafe", program=unsafe.program, place=unsafe.place) from unsafe
        except OSError as error:
            raise ChallengeFailed(
                "solver-hook-missing", command=self._shown, reason=harmless(error.strerror or error)
            ) from error
        text = said.decode("utf-8", "replace")
        if exit_code != 0:
            raise ChallengeFailed(
                "solver-hook-failed",
                command=self._shown,
                verb=verb,
                name=proof.name,
                exit=exit_code,
                output=_without_secrets(text, proof),
            )
        return text.replace("\0", "").strip()


def environment_for(proof: Proof) -> dict[str, str]:
    """What a hook is told about `proof`, in our names and in certbot's, and the little it inherits."""
    told = {
        "JPRS_CLIENT_CHALLENGE_TYPE": proof.challenge_type,
        "JPRS_CLIENT_NAME": proof.name,
        "JPRS_CLIENT_WILDCARD": "true" if proof.wildcard else "false",
        "JPRS_CLIENT_TOKEN": proof.token,
        "CERTBOT_DOMAIN": proof.name,
        "CERTBOT_VALIDATION": proof.content,
    }
    if proof.challenge_type == "dns-01":
        told |= {"JPRS_CLIENT_RECORD_NAME": proof.record_name, "JPRS_CLIENT_RECORD_VALUE": proof.content}
    else:
        told |= {"JPRS_CLIENT_KEY_AUTHORIZATION": proof.content, "CERTBOT_TOKEN": proof.token}
    return inherited() | told


def _without_secrets(text: str, proof: Proof) -> str:
    """The last of what a hook said, on one line; the proof itself stays out of logs."""
    for secret in (proof.content, proof.token):
        text = text.replace(secret, "…")
    return harmless(text[-480:].strip())
