"""A multilayer perceptron from scratch: NumPy and nothing else.

Read in this order: `architecture` (what a network is), `parameters`, `initializers`, `activations`,
`losses`, `network` (forward and backward), `differences` (the numerical gradient), `gradients` (every
method by name), `optimizers`, `training`.
"""
