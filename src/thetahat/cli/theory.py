"""``thetahat theory``."""

from __future__ import annotations

from typing import Any

import rich_click as click

from thetahat.cli.console import answers, check_folder
from thetahat.cli.options import OUTPUT, with_options

__all__ = ["theory"]


@click.command()
@click.argument("statements", nargs=-1, metavar="[STATEMENT]...")
@click.option("--all", "every", is_flag=True, help="Run every statement.")
@click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "ru"]),
    default="en",
    show_default=True,
    help="Language of the claims and verdicts.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
@with_options(OUTPUT)
def theory(
    statements: tuple[str, ...],
    every: bool,
    language: Any,
    seed: int,
    page_path: str | None,
    json_path: str | None,
    quiet: bool,
) -> None:
    """Run statements of the theory as experiments, each with a verdict; list them when none is named."""
    from thetahat.report.theory import show, show_statement, write
    from thetahat.results.saving import replace_file
    from thetahat.results.theory import encode
    from thetahat.theory import registry

    if statements and every:
        raise click.UsageError("--all runs every statement: leave it out, or leave the names out")
    if not statements and not every:
        if json_path or page_path:
            raise click.UsageError("--report and --json need results: add --all, or name statements")
        for chapter in registry.CHAPTERS:
            click.echo(f"{chapter.number} {chapter.title.of(language)}")
            for each in chapter.statements:
                click.echo(f"  {each.name:26} {each.title.of(language)}")
        return
    for path in filter(None, (json_path, page_path)):
        check_folder(path)
    asked = ["--all"] if every else list(statements)
    asked += [f"--lang {language}"] * (language != "en") + [f"--seed {seed}"] * (seed != 0)
    command = " ".join(["thetahat theory", *asked])
    record = registry.examine_all(statements, seed=seed, command=command)
    if json_path:
        replace_file(json_path, encode(record))
    if page_path:
        write(record, page_path, language)
    console = answers()
    if every or page_path:
        show(record, console, language, page=page_path)
        return
    for found in (each for part in record.chapters for each in part.statements):
        show_statement(found, console, language, quiet=quiet)
