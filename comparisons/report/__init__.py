"""Results -> what is read: rich tables in the terminal (`terminal`), one self-contained page (`html`).

A pure function of the results: the same results.json always gives the same report, and nothing is run.
"""
