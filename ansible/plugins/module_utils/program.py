# Copyright: The jprs-client authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""jprs-client, run with `--json`: what it answers, and how its refusals become a module's."""

from __future__ import annotations

import json

#: What both modules take; the documentation is in `doc_fragments/program.py`.
COMMON = {
    "config": {"type": "path", "default": "/etc/jprs-client/config.toml"},
    "state_dir": {"type": "path", "default": "/var/lib/jprs-client"},
    "executable": {"type": "str", "default": "jprs-client"},
    "lang": {"type": "str", "choices": ["en", "ja"], "default": "en"},
    "lock_timeout": {"type": "int", "default": 0},
}

#: What an exit code asks of a person, where the program's own sentence may leave it open.
_BY_CODE = {
    5: "This is temporary: run the playbook again later, or leave it to the program's timer.",
    6: "Another run of jprs-client is at work; lock_timeout says how many seconds to wait for it.",
}

#: What a task says where the program's sentence speaks of its own options.
_BY_ERROR = {
    "consent-missing": "In the task: agree_terms: true and consent_ct: true.",
    "start-not-confirmed": "In the task: start_usage: true.",
    "not-registered": "In the task: the operator's credentials, agree_terms: true and consent_ct: true.",
}


class Answer:
    """How a command ended: its exit code, its document, and what it said besides."""

    def __init__(self, command, rc, document, said):
        self.command = command
        self.rc = rc
        self.document = document
        self.said = said

    @property
    def error(self):
        """The error that the command as a whole ended with: code, message, next_step; None where it has none."""
        return self.document.get("error")

    @property
    def done(self):
        """The actions that were carried out."""
        return self.document.get("done", [])


class Program:
    """The program on the managed host, for one configuration and one state directory."""

    def __init__(self, module, config=None, shown_as=None):
        """`config`: another file than the module's own; its folder is told as `shown_as`."""
        params = module.params
        self._module = module
        self._config = str(config or params["config"])
        self._shown_as = shown_as
        executable = params["executable"]
        self._start = [
            executable if "/" in executable else module.get_bin_path(executable, required=True),
            "--json", "--config", self._config, "--state-dir", params["state_dir"], "--lang", params["lang"],
            "--lock-timeout", str(params["lock_timeout"]),
        ]  # fmt: skip

    def run(self, *arguments):
        """A command to its end. The module fails if the program cannot be run or does not answer in JSON."""
        rc, out, err = self._module.run_command([*self._start, *arguments], environ_update={"LC_ALL": "C.UTF-8"})
        if self._shown_as is not None:
            real, shown = map(str, self._shown_as)
            out, err = out.replace(real, shown), err.replace(real, shown)
        try:
            document = json.loads(out)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            self._module.fail_json(
                msg=f"{self._start[0]} {arguments[0]} did not answer as jprs-client does (exit {rc}): {_end_of(err)}",
                rc=rc,
            )
        return Answer(arguments[0], rc, document, err)

    def ask(self, *arguments):
        """A command that changes nothing: its document. The module fails where the command does."""
        answer = self.run(*arguments)
        if answer.error is not None or answer.rc != 0:
            fail(self._module, answer)
        return answer.document


def fail(module, answer, **more):
    """End the module with the program's own words: what happened, and what to do now."""
    sentences, first = [], None
    for each in _errors(answer.document):
        first = first or each
        sentences += [each.get("message"), each.get("next_step") or each.get("remedy"), _BY_ERROR.get(each["code"])]
    if first is None:
        sentences.append(f"jprs-client {answer.command} ended with exit code {answer.rc}: {_end_of(answer.said)}")
    sentences.append(_BY_CODE.get(answer.rc))
    told = list(dict.fromkeys(sentence for sentence in sentences if sentence))
    module.fail_json(
        msg=" ".join(told),
        rc=answer.rc,
        error_code=first["code"] if first else None,
        next_step=(first.get("next_step") or first.get("remedy")) if first else None,
        **more,
    )


def _errors(document):
    """Every error in a document: the command's own, or those of its actions and then what stands in the way."""
    error = document.get("error")
    if error is not None:
        return error.get("problems") or [error]
    return [failed["error"] for failed in document.get("failed", [])] + list(document.get("problems", []))


def _end_of(text):
    return " ".join(text.split())[-600:]
