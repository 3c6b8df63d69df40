"""`backproof` and `python -m backproof.comparisons`: Ctrl-C is understood before anything heavy is loaded."""

import sys


def main() -> None:
    """Run the command line of this process and leave it with its exit code."""
    try:
        from backproof.comparisons.running import streams
    except KeyboardInterrupt:
        print("backproof: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(streams.to_the_end(_command))


def _command() -> int:
    from backproof.comparisons import cli

    return cli.run(sys.argv[1:])


if __name__ == "__main__":
    main()
