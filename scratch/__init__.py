"""A multilayer perceptron from scratch: NumPy and nothing else.

Read in this order: `architecture` (what a network is), `problem` (one at given weights, with a batch),
`parameters`, `initializers`, `activations`, `losses`, `network` (forward and backward), `differences`
(numerical gradients, the textbook way), `changes` (how much one moved number changes what follows, without
cancellation), `structured` (the same numerical gradient, with little of the work), `gradients` (every method
by name), `optimizers`, `schedules`, `regularization` and `training`.
"""
