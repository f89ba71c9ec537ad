"""The entry point, above all floors: hands the command line to `reconciler.app.cli`."""

import sys


def main() -> None:
    """Run the command line; the exit code follows ADR 0029."""
    from reconciler.app.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
