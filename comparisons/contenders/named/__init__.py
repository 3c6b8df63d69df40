"""Adapters without methods: a network's names are declared, the rest is found out by trying."""
