"""What a page's blocks do: Python runs, commands run, and the text under either is what it printed.

Python is run statement by statement. A comment beside or under an expression quotes its value: each
number in it must be found there. In a console block lines after ``$`` are commands, the rest is what they
print. A text block straight under either holds what was printed (or, where nothing was, the last value).
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

from click.testing import CliRunner
from sybil import Document, Example, Region
from sybil.parsers.markdown import CodeBlockParser, SkipParser
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from tests.documentation.agreement import disagreement, missing_number
from thetahat.errors import ThetaHatWarning

ROOT = Path(__file__).parents[2]
WIDTH = "80"


def python(example: Example) -> str | None:
    """Run a block of Python."""
    source, namespace = str(example.parsed), example.namespace
    namespace.setdefault("__name__", "__main__")
    tree = ast.parse(source, example.path)
    lines, said, last = source.splitlines(), io.StringIO(), None
    starts = [node.lineno for node in tree.body] + [len(lines) + 1]
    first = example.line + 1
    with contextlib.redirect_stdout(said), _warnings_of_a_user():
        for node, following in zip(tree.body, starts[1:], strict=True):
            ast.increment_lineno(node, first - 1)
            if not isinstance(node, ast.Expr):
                exec(compile(ast.Module([node], []), example.path, "exec"), namespace)
                continue
            before = said.tell()
            last = eval(compile(ast.Expression(node.value), example.path, "eval"), namespace)
            printed = said.getvalue()[before:]
            end = node.end_lineno - first + 1
            comment = _comment_of(lines[end - 1 : following - 1])
            wrong = missing_number(comment, f"{printed} {last!r} {last}")
            if wrong is not None:
                return f"line {first + end - 1}: {wrong} of the comment is not in {printed or last!r}"
    namespace["_printed"] = said.getvalue() or str(last)
    return None


def _comment_of(lines: list[str]) -> str:
    """Return the comment at the end of the first line and the comment lines straight under it."""
    beside = re.search(r"#(?![^'\"]*['\"]\s*[,)]).*$", lines[0])
    kept = [beside.group()] if beside else []
    for line in lines[1:]:
        if not line.startswith("#"):
            break
        kept.append(line)
    return " ".join(line.lstrip("# ") for line in kept)


def console(example: Example) -> str | None:
    """Run the commands of a block, and hold what stands under each to what it prints."""
    found = re.split(r"^\$ ", str(example.parsed), flags=re.MULTILINE)
    if found[0].strip() or len(found) < 2:
        return "a console block begins with `$ ` and a command"
    printed = ""
    for part in found[1:]:
        command, quoted = _command_and_output(part)
        status, printed = run(command)
        if status != 0:
            return f"`{command}` ended with status {status}:\n{printed}"
        if quoted.strip():
            wrong = disagreement(quoted, printed)
            if wrong is not None:
                return f"`{command}`: {wrong}"
    example.namespace["_printed"] = printed
    return None


def _command_and_output(part: str) -> tuple[str, str]:
    lines = part.splitlines()
    taken = 1
    while lines[taken - 1].endswith("\\"):
        taken += 1
    command = " ".join(line.rstrip("\\").strip() for line in lines[:taken])
    return command.partition("  #")[0].strip(), "\n".join(lines[taken:])


def run(command: str) -> tuple[int, str]:
    """Run a command in this folder; of what takes minutes only see that it is there."""
    words = shlex.split(command)
    if words[:2] == ["python", "-m"] and words[2] in ("benchmarks", "tests.torture"):
        known = (ROOT.joinpath(*words[2].split(".")) / f"{words[3]}.py").exists()
        return (0, "") if known else (2, f"there is no {words[3]} in {words[2]}")
    if words[0] == "make":
        known = all(re.search(rf"^{re.escape(word)}:", _makefile(), re.MULTILINE) for word in words[1:])
        return (0, "") if known else (2, "there is no such target")
    if words[0] in ("pip", "pytest"):
        extras = re.findall(r"thetahat\[(.*?)\]", command)
        paths = [word for word in words[1:] if word.startswith("tests/")]
        known = all(f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text() for extra in extras)
        return (0, "") if known and all((ROOT / path).exists() for path in paths) else (2, "not there")
    if words[0] == "thetahat" and not set(words) & {"|", ">", "<", "&&"}:
        return _in_this_process(words[1:])
    done = subprocess.run(
        ["bash", "-c", f'thetahat() {{ "{sys.executable}" -m thetahat "$@"; }}\n{command}'],
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


@contextlib.contextmanager
def _warnings_of_a_user():
    """Let our own warnings pass, which pages show on purpose; any other is a fault of the page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ThetaHatWarning)
        yield


def _makefile() -> str:
    return (ROOT / "Makefile").read_text()


def _in_this_process(words: list[str]) -> tuple[int, str]:
    from thetahat.cli import main

    with _warnings_of_a_user():
        done = CliRunner(env={"COLUMNS": WIDTH, "NO_COLOR": "1"}).invoke(main, words, prog_name="thetahat")
    if done.exit_code:
        return done.exit_code, f"{done.output}\n{done.exception!r}"
    return 0, done.stdout


def text_under(document: Document):
    """Find the text blocks that stand straight under a block of Python or of commands."""
    ends: dict[int, str] = {}
    lexer = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[^\n]*)\n"))
    for region in lexer(document):
        language = region.lexemes["language"].strip()
        before = len(document.text[: region.start].rstrip())
        if language == "text" and ends.get(before) in ("python", "console"):
            found = Region(region.start, region.end, str(region.lexemes["source"]), _held_to_what_was_printed)
            yield found
        ends[region.end] = language


def _held_to_what_was_printed(example: Example) -> str | None:
    return disagreement(str(example.parsed), example.namespace.get("_printed", ""))


PARSERS = [
    SkipParser(),
    CodeBlockParser("python", python),
    CodeBlockParser("console", console),
    text_under,
]
