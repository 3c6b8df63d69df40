"""`python -m comparisons` is `backproof`."""

from comparisons.cli import main

if __name__ == "__main__":
    main()
