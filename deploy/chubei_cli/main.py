"""The `chubei` command. Each command imports what it needs when it runs, so that `chubei --help` is quick."""

import importlib
import importlib.metadata
import io
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from .errors import CommandError

_SETTINGS: Final[dict[str, Any]] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
_ELSEWHERE: Final = {
    "validate": ("validate", "validate", "检查区的表格 / check a district's folder of tables"),
    "seed": ("seed", "seed", "把区的表格录入运行中的系统 / load a district into the running system"),
    "password": ("account", "change_password", "修改口令 / change a password"),
    "doctor": ("doctor", "doctor", "核对全部账目与审计链,不改动 / prove all records, and change nothing"),
    "plan": ("plan", "plan", "为一个情景求计划，不需服务 / plan for a scenario, without any service"),
    "explain": ("explain", "explain", "一个计划为什么不能更多 / why a plan does not serve more"),
    "openapi": ("openapi", "openapi", "全部接口的 OpenAPI 文档 / the OpenAPI document of all services"),
    "readiness": (
        "readiness",
        "readiness",
        "能否保障 1 %(0 能,1 基本能或不能,2 用法有误或没有结果)/ "
        "whether the duty can be kept (exit 0: able; 1: nearly or not; 2: wrong use, or no result)",
    ),
    "demo": ("demo", "demo", "第一夜的推演 / the first night, as an exercise on a throw-away system"),
}
"""Command: module, function, help. The module is imported when the command is called, not to list it."""


class _Commands(TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name in _ELSEWHERE:
            module, function, _ = _ELSEWHERE[name]
            alone = typer.Typer(**_SETTINGS)
            alone.command(name)(getattr(importlib.import_module(f".{module}", __package__), function))
            command = get_command(alone)
        return name, command, rest


app = typer.Typer(
    name="chubei",
    cls=_Commands,
    help="储备：区级应急物资的账与救助计划 / Chubei: a district's emergency reserves, and the plan that uses them.",
    **_SETTINGS,
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
            min=0,
            max=65535,
            help="网关端口 / the gateway's port (default: 8080, with --tls 8443, or a free one; 0: any)",
        ),
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="手机等其他机器经 HTTPS 访问 / HTTPS, for phones and other machines")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(help="证书另含的主机名或地址 / more names or addresses of this machine, for --tls"),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(help="自备证书(PEM)/ a certificate of your own, for --tls")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="其私钥(PEM)/ and its private key")] = None,
) -> None:
    """启动整个系统，Ctrl-C 停止 / start the whole system; Ctrl-C stops it."""
    from .state import state_folder

    if not tls and (name or cert or key):
        raise CommandError("--name、--cert、--key 须与 --tls 同用 / --name, --cert and --key go with --tls")
    with state_folder(state).locked() as folder:  # before the long import: a second `up` is refused at once
        typer.echo(f"正在启动 / starting: {folder.path}")
        from .tls import Asked
        from .up import up

        up(folder, port, Asked(tuple(name or ()), cert, key) if tls else None)


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


for _name, (_, _, _help) in _ELSEWHERE.items():
    app.command(_name, help=_help)(lambda: None)


def main() -> None:
    """Run the command. An expected failure is one line on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Chinese shows ?, and nothing ends
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        code = 130
    except (CommandError, typer.TyperException) as error:
        said = str(error)
        if isinstance(error, typer.TyperException):
            said = f"用法不对，见 chubei --help / wrong use, see chubei --help: {error.format_message()}"
        typer.echo(f"chubei: {' '.join(said.split())}", err=True)
        code = 2
    sys.exit(code)


if __name__ == "__main__":
    main()
