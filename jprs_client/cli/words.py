"""Click's commands and options, speaking our two languages: every text is looked up when it is shown.

A command's help stands in `locale/` under `help.COMMAND` (one sentence, which lists show too), `more.COMMAND` (further
paragraphs, if any) and `help.COMMAND.OPTION`; a command in a group is `GROUP.COMMAND`. Modules of commands are
imported when they are run, so that asking for help stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from jprs_client.cli.door import Door
from jprs_client.cli.input import OneOf, Span
from jprs_client.cli.show import padded, width, wrapped
from jprs_client.errors import UsageError

PROGRAM = "jprs-client"

F = TypeVar("F", bound=Callable[..., object])


def command_key(context: click.Context) -> str:
    """`plan`, `test-ca.serve`: how `locale/` calls the command; empty for the program itself."""
    names = []
    while context.parent is not None:
        names.append(context.command.name or "")
        context = context.parent
    return ".".join(reversed(names))


def _door(context: click.Context) -> Door:
    door = context.find_object(Door)
    if door is None:  # only a program that runs one of our commands without `main` gets here
        raise RuntimeError("no Door in the context")
    return door


class Formatter(click.HelpFormatter):
    """Click's, but counting columns, not characters: Japanese takes two each and has no blanks to break at."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line that shows how a command is put together."""
        start = f"{prefix or ''} {prog} "
        first, *others = wrapped(args, max(20, self.width - width(start)))
        self.write(f"{start}{first}\n")
        for line in others:
            self.write(f"{' ' * width(start)}{line}\n")

    def write_text(self, text: str) -> None:
        """A paragraph, indented."""
        for line in wrapped(text, self.width - self.current_indent):
            self.write(f"{' ' * self.current_indent}{line}\n")

    def write_dl(self, rows: Any, col_max: int = 30, col_spacing: int = 2) -> None:
        """Terms and what they mean."""
        rows = list(rows)
        column = min(max(width(term) for term, _ in rows), col_max) + col_spacing
        for term, meaning in rows:
            lines = wrapped(meaning, max(20, self.width - self.current_indent - column))
            if width(term) + col_spacing > column:
                self.write(f"{' ' * self.current_indent}{term}\n")
            else:
                self.write(f"{' ' * self.current_indent}{padded(term, column)}{lines.pop(0)}".rstrip() + "\n")
            for line in lines:
                self.write(f"{' ' * (self.current_indent + column)}{line}\n")


class Context(click.Context):
    """Click's, with our formatter."""

    formatter_class = Formatter


class Option(click.Option):
    """An option; `common` ones belong to every command and have one help text."""

    def __init__(self, *args: Any, common: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.common = common

    @property
    def spoken(self) -> str:
        """How `locale/` calls it: the long form without its dashes."""
        return max(self.opts, key=len).lstrip("-")

    def help_key_under(self, path: str) -> str:
        """Where its help text stands; `path` as `command_key` gives it."""
        return f"help.common.{self.spoken}" if self.common else f"help.{path}.{self.spoken}"

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The option as it is typed, and what it does."""
        record = super().get_help_record(ctx)
        return None if record is None else (record[0], _door(ctx).speech.say(self.help_key_under(command_key(ctx))))


class Argument(click.Argument):
    """An argument, with a help text as options have it."""

    def help_key_under(self, path: str) -> str:
        """Where its help text stands; `path` as `command_key` gives it."""
        return f"help.{path}.{self.name}"

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """The argument as the usage line shows it, and what it is."""
        return self.make_metavar(ctx), _door(ctx).speech.say(self.help_key_under(command_key(ctx)))


class _Worded(click.Command):
    """What commands and groups have in common: common options, help from `locale/`, our own usage errors."""

    context_class = Context
    allow_extra_args = True  # so that `parse_args` can tell what was too much, in the right language

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:  # noqa: ARG002 - click's signature
        """The command's own and the common ones."""
        return [*self.params, *COMMON]

    def get_help_option(self, ctx: click.Context) -> None:
        """None: ours is one of the common options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it, but what is too much is an error of ours."""
        _door(ctx).command_path = ctx.command_path
        rest = super().parse_args(ctx, args)
        if ctx.args and not isinstance(self, click.Group):
            raise UsageError("too-many-arguments", given=" ".join(ctx.args), command=ctx.command_path)
        return rest

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """How the command is put together."""
        pieces = self.collect_usage_pieces(ctx)
        formatter.write_usage(ctx.command_path, " ".join(pieces), _door(ctx).speech.say("word.usage"))

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The arguments, after the word for options."""
        own = [piece for param in self.params for piece in param.get_usage_pieces(ctx)]
        return [_door(ctx).speech.say("word.options-metavar"), *own]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the command does."""
        speech, key = _door(ctx).speech, command_key(ctx) or "program"
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(speech.say(f"help.{key}"))
            if speech.has(f"more.{key}"):
                formatter.write_paragraph()
                formatter.write_text(speech.say(f"more.{key}"))

    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Nothing: arguments are shown with the options, in every release of click."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Commands, arguments, the command's own options, and the common ones."""
        self.format_commands(ctx, formatter)
        params = self.get_params(ctx)
        own = [param for param in params if isinstance(param, Option) and not param.common]
        sections: dict[str, list[Argument] | list[Option]] = {
            "word.arguments": [param for param in params if isinstance(param, Argument)],
            "word.options": own,
            "word.common-options": [param for param in params if isinstance(param, Option) and param.common],
        }
        for heading, members in sections.items():
            found = [param.get_help_record(ctx) for param in members]
            records = [record for record in found if record is not None]
            if records:
                with formatter.section(_door(ctx).speech.say(heading)):
                    formatter.write_dl(records)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A command has none."""


class Command(_Worded):
    """A command. Its function is handed the `Door` by `click.pass_obj` and may return an exit code."""


class Group(_Worded, click.Group):
    """Commands by name, each `MODULE:ATTRIBUTE`, imported when it is asked for by its name."""

    def __init__(self, name: str, places: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(name, no_args_is_help=False, **kwargs)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of a certificate's life."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, imported now."""
        if cmd_name not in self._places:
            return None
        module, _, attribute = self._places[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begins with, and the rest of them."""
        name, *rest = args
        command = self.get_command(ctx, name)
        if command is None:
            raise UsageError(
                "no-such-command", given=name, nearest=nearest(name, self._places), command=ctx.command_path
            )
        return name, command, rest

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it; without a command there is nothing to do but to say so."""
        rest = super().parse_args(ctx, args)
        if not [*_protected(ctx), *ctx.args] and not ctx.resilient_parsing:
            raise UsageError("no-command", command=ctx.command_path)
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """A command and its arguments, after the word for options."""
        return [*super().collect_usage_pieces(ctx), _door(ctx).speech.say("word.command-metavar")]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their first sentence; none of them is imported for it."""
        speech, path = _door(ctx).speech, command_key(ctx)
        rows = [
            (name, speech.say(f"help.{path}.{name}" if path else f"help.{name}")) for name in self.list_commands(ctx)
        ]
        with formatter.section(speech.say("word.commands")):
            formatter.write_dl(rows)


def _protected(context: click.Context) -> Sequence[str]:
    kept: Sequence[str] = context._protected_args
    return kept


def nearest(given: str, known: Iterable[str]) -> str | None:
    """What was probably meant, if anything."""
    import difflib

    bare = {name.lstrip("-"): name for name in known}
    return next((bare[name] for name in difflib.get_close_matches(given.lstrip("-"), bare, 1)), None)


def command(name: str) -> Callable[[Callable[..., object]], Command]:
    """Makes a function the command called `name` (its last word)."""
    return click.command(name, cls=Command)


def option(*declarations: str, **kwargs: Any) -> Callable[[F], F]:
    """An option whose help is looked up in `locale/`."""
    return click.option(*declarations, cls=Option, **kwargs)


def argument(*declarations: str, **kwargs: Any) -> Callable[[F], F]:
    """An argument whose help is looked up in `locale/`."""
    return click.argument(*declarations, cls=Argument, **kwargs)


def _given(context: click.Context, param: click.Parameter) -> bool:
    return context.get_parameter_source(param.name or "") is click.core.ParameterSource.COMMANDLINE


def _keep(context: click.Context, param: click.Parameter, value: Any) -> None:
    """A common option counts where it was given; the later place wins."""
    if _given(context, param):
        setattr(_door(context), str(param.name), value)


def _verbosity(context: click.Context, param: click.Parameter, value: Any) -> None:
    if _given(context, param):
        _door(context).screen.verbosity = -1 if param.name == "quiet" else value


def _language(context: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        _door(context).speech = _door(context).speech.in_language(value)


def _json(context: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        _door(context).screen.json = True


def _show_help(context: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        _door(context).screen.answer(context.get_help())
        context.exit()


def _show_version(context: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from jprs_client.version import __version__

        door = _door(context)
        if door.json:
            door.screen.document({"version": __version__})
        else:
            door.screen.answer(f"{PROGRAM} {__version__}")
        context.exit()


#: Taken before and after every command.
COMMON: tuple[Option, ...] = (
    Option(
        ["--config", "given_config"], type=click.Path(readable=False, path_type=Path), metavar="FILE", common=True,
        expose_value=False, callback=_keep,
    ),
    Option(
        ["--state-dir", "given_state_dir"], type=click.Path(readable=False, path_type=Path), metavar="DIR", common=True,
        expose_value=False, callback=_keep,
    ),
    Option(["--json"], is_flag=True, is_eager=True, common=True, expose_value=False, callback=_json),
    Option(
        ["--lang"], type=OneOf("en", "ja"), metavar="en|ja", is_eager=True, common=True,
        expose_value=False, callback=_language,
    ),
    Option(["-v", "--verbose"], count=True, common=True, expose_value=False, callback=_verbosity),
    Option(["-q", "--quiet"], is_flag=True, common=True, expose_value=False, callback=_verbosity),
    Option(
        ["--lock-timeout"], type=Span(bare_seconds=True), metavar="SECONDS", common=True,
        expose_value=False, callback=_keep,
    ),
    Option(["--version"], is_flag=True, is_eager=True, common=True, expose_value=False, callback=_show_version),
    Option(["-h", "--help"], is_flag=True, is_eager=True, common=True, expose_value=False, callback=_show_help),
)  # fmt: skip
