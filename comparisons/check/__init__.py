"""`backproof check`: somebody's class on trial.

subject    the class, in a process of its own
battery    the checks, each from one statement of the mathematics, and the cases they are tried on
diagnosis  which known mistake explains what was seen
"""
