"""`backproof check`: somebody's class on trial.

subject   the class, in a process of its own        cases     what it is tried on
battery   the checks, each from one statement of the mathematics
trial     runs them, shrinks the first failure      diagnosis which known mistake explains what was seen
"""
