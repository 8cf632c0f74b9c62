"""The `chubei` command. Each command imports what it needs when it runs, so that `chubei --help` is quick."""

import importlib.metadata
import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import CommandError

app = typer.Typer(
    name="chubei",
    help="储备：区级应急物资的账与救助计划 / Chubei: a district's emergency reserves, and the plan that uses them.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

StateOption = Annotated[
    Path | None,
    typer.Option("--state", envvar="CHUBEI_STATE", help="状态文件夹 / the state folder (default: ./.state)"),
]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"chubei {importlib.metadata.version('chubei-cli')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def chubei(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="版本 / the version")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def up(
    state: StateOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="网关端口 / the gateway's port (default: 8080, or a free one; 0: any)"
        ),
    ] = None,
) -> None:
    """启动整个系统，Ctrl-C 停止 / start the whole system; Ctrl-C stops it."""
    from .state import state_folder

    with state_folder(state).locked() as folder:  # before the long import: a second `up` is refused at once
        from .up import up

        up(folder, port)


@app.command()
def status(state: StateOption = None) -> None:
    """正在运行什么 / what runs, and whether it is well (exit code 1 if not)."""
    from .state import state_folder
    from .status import show_status

    if not show_status(state_folder(state)):
        raise typer.Exit(1)


@app.command()
def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="只迁移这些 / only these services")] = None,
) -> None:
    """建立并升级各服务的数据库 / create and upgrade each service's database on CHUBEI_DATABASE_URL."""
    from .migrate import migrate

    migrate(*(services or ()))


def main() -> None:
    """Run the command. An expected failure is one line on standard error and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        code = 130
    except (CommandError, typer.TyperException) as error:
        said = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        typer.echo(f"chubei: {' '.join(said.split())}", err=True)
        code = 2
    sys.exit(code)


if __name__ == "__main__":
    main()
