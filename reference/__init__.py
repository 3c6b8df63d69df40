"""The frameworks, each behind the `Contender` protocol. Importing this package imports none of them."""
