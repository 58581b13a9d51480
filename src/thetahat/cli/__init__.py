"""The command line: parse and call.

Exit status 0 for an answer, no winner included; 2 for bad usage or bad data; 1 for a fault of ours.
Nothing heavy is imported before a command runs, so that help answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback

import rich_click as click
from click.exceptions import Exit

from thetahat.cli.calibrate import calibrate
from thetahat.cli.check import check
from thetahat.cli.compare import compare, demo, report
from thetahat.cli.console import complain
from thetahat.cli.fit import fit, predict
from thetahat.cli.mle import mle
from thetahat.cli.theory import theory
from thetahat.errors import DataError, ThetaHatError

__all__ = ["main"]


class Commands(click.RichGroup):
    """The commands, and the exit status of each way they can fail."""

    def invoke(self, ctx: click.Context) -> None:
        """Run a command; say what went wrong on stderr."""
        try:
            super().invoke(ctx)
        except DataError as error:
            complain(error.problems)
            ctx.exit(2)
        except ThetaHatError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(2)
        except (click.ClickException, click.Abort, Exit):
            raise
        except BrokenPipeError:
            # Whoever reads has seen enough; nothing more is to be written when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except Exception:
            traceback.print_exc()
            click.echo("This is a fault of thetahat: please report it with the lines above.", err=True)
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="thetahat")
def main() -> None:
    """Maximum-likelihood machine learning with an error bar on everything."""


for command in (compare, fit, predict, mle, calibrate, check, demo, report, theory):
    main.add_command(command)
