"""The systems of five introductory texts on neural networks, each as a lesson that computes what it says.

`course` lists the lessons, `frame` is what a lesson is made of, `texts/` holds every sentence in English and
Korean, `runner` runs one. A lesson is a module with a function `run(setting) -> Outcome`.
"""
