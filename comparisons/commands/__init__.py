"""The sub-commands of `backproof`, one module each: arguments in, one call, exit code out."""
