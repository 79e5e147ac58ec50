"""`python -m flows.cli`: the `slipway` command."""

from flows.cli.entry import main

if __name__ == "__main__":
    main()
