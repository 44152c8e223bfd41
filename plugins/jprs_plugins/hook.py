"""dns-01 or http-01 by a program of the subscriber's own; hooks written for certbot need little change."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from jprs_client.errors import ChallengeFailed, harmless
from jprs_client.plugin import Options, Proof

DEFAULT_SECONDS = 120
MOST_OUTPUT_BYTES = 8 * 1024

#: What a hook inherits. The rest may be secret, or change what an interpreter loads (THREATS D18, D27).
INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


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

        Raises ChallengeFailed: solver-hook-missing, solver-hook-failed, solver-hook-timeout.
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
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
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
    return {"PATH": _PATH} | inherited | told


def _without_secrets(text: str, proof: Proof) -> str:
    """The last of what a hook said, on one line; the proof itself stays out of logs."""
    for secret in (proof.content, proof.token):
        text = text.replace(secret, "…")
    return harmless(text[-480:].strip())


def output_of(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[int, bytes]:
    """Run `command` without a shell: its exit code (128 + N after signal N) and the end of what it said.

    Raises TimeoutError, after its whole process group was killed, and OSError when it cannot be started. What it
    leaves running in the background is left running: that may be the very server that shows the proof.
    """
    with (
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
        ) as process,
        _group_killed_on_error(process),
    ):
        said = _heard(process, time.monotonic() + seconds)
        code = process.wait()
    return (code if code >= 0 else 128 - code), said


@contextlib.contextmanager
def _group_killed_on_error(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def _heard(process: subprocess.Popen[bytes], until: float) -> bytes:
    """The last bytes of its output; done when the process is, though a child of its may hold the pipe open."""
    said = bytearray()
    pipe = process.stdout
    if pipe is None:  # not with PIPE above
        return b""
    os.set_blocking(pipe.fileno(), False)
    ended = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            while True:
                left = until - time.monotonic()
                ready = selector.select(max(left, 0))
                if left <= 0:
                    raise TimeoutError
                over = any(key.fileobj == ended for key, _ in ready)
                if not _drain(pipe.fileno(), said) and pipe in selector.get_map():
                    selector.unregister(pipe)  # it closed its output and goes on working
                if over:
                    return bytes(said)
    finally:
        os.close(ended)


def _drain(descriptor: int, said: bytearray) -> bool:
    """Read what is there now, keeping only the end; False once nobody can write to it any more."""
    for _ in range(16):  # then look at the time again: it may write faster than we read
        try:
            chunk = os.read(descriptor, 64 * 1024)
        except BlockingIOError:
            return True
        if not chunk:
            return False
        said += chunk
        del said[:-MOST_OUTPUT_BYTES]
    return True
