"""A multilayer perceptron from scratch: NumPy and nothing else.

Read in this order:

    what a network is       `architecture`, `problem` (one at given weights, with a batch), `parameters`,
                            `initializers`
    forward and backward    `activations`, `losses`, `regularization`, `network`
    numerical gradients     `differences`, the textbook way; then the same quotients with little of the work:
                            `series`, `changes`, `loss_changes`, `unmoved`, `tiling`, `structured`
    every method by name    `gradients`
    training                `optimizers`, `schedules`, `training`

What is cited stands in `references`. The modules name each other relatively: the folder stands by itself, and
works as well under another name, copied beside a program of yours.
"""
