"""`python -m config.stack up` serves the whole product; `run -- CMD` gives the servers to one command."""

import argparse
import sys
from pathlib import Path

from config.stack.state import default_folder
from config.stack.verbs import run, up


def main() -> int:
    """Read the arguments and obey; gives the exit code."""
    parser = _parser()
    options = parser.parse_args()
    if options.verb == "run" and not _command(options.command):
        parser.error("run takes a command: run -- COMMAND")
    try:
        if options.verb == "up":
            return up(options.state.resolve(), options.then, once=options.once, demo=options.demo)
        return run(options.state.resolve(), _command(options.command), volatile=options.volatile)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _command(words: list[str]) -> list[str]:
    """What stands after the first `--`."""
    return words[1:] if words[:1] == ["--"] else words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.stack", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser("up", help="servers, web, a worker a queue, beat; until Ctrl-C")
    serve.add_argument("--then", default="", metavar="COMMAND", help="run this once everything is up")
    serve.add_argument("--once", action="store_true", help="stop after that command, with its exit code")
    serve.add_argument("--demo", action="store_true", help="also what the demo's sources are pulled from")
    give = verbs.add_parser("run", help="the servers, then a command, with its exit code")
    give.add_argument("--volatile", action="store_true", help="faster servers whose data may be lost with the machine")
    give.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    for verb in (serve, give):
        verb.add_argument("--state", type=Path, default=default_folder(), metavar="DIR", help="default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
