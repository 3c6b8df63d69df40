"""`python -m backproof.comparisons` is `backproof`."""

from backproof.comparisons.cli import main

if __name__ == "__main__":
    main()
