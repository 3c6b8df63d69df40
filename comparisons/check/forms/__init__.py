"""Other people's forms: what a class can do, the conventions it follows, and its answers read as ours."""
