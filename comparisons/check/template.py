"""The skeleton that `backproof check --init FILE` writes: every method with its contract in comments."""

SKELETON = '''"""A multilayer perceptron to be checked:  backproof check {file}:MyMLP"""

import numpy as np


class MyMLP:
    """z_l = a_(l-1) @ W_l + b_l; hidden layers apply the activation; the last layer gives logits."""

    def load(self, architecture, weights):
        # architecture.layer_sizes  (inputs, hidden..., outputs), e.g. (784, 128, 10)
        # architecture.activation   of the hidden layers: "identity", "sigmoid", "tanh" or "relu"
        # architecture.loss         "cross_entropy", "binary_cross_entropy", "mse" or "sum_of_squares"
        # architecture.dtype        "float32" or "float64": compute in it and return it
        # weights                   per layer (W of shape (fan_in, fan_out), b of shape (fan_out,)).
        # Copy what you keep: the arrays belong to the caller. load may be called again.
        self.architecture = architecture
        self.layers = [
            (np.array(W, architecture.dtype), np.array(b, architecture.dtype)) for W, b in weights
        ]

    def weights(self):
        # Copies of the weights as they are now, in the form load takes them.
        return [(W.copy(), b.copy()) for W, b in self.layers]

    def logits(self, x):
        # x (batch, inputs) -> (batch, outputs). Deterministic; a sample does not depend on the others.
        raise NotImplementedError

    def loss_and_gradient(self, x, targets):
        # -> (loss as a float, gradient in the form of weights()). The weights do not change.
        # cross_entropy         mean over the batch of logsumexp(z) - z[label]; targets: labels (batch,)
        # binary_cross_entropy  on logits, mean over all entries; targets (batch, outputs)
        # mse                   mean over all entries;            targets (batch, outputs)
        # sum_of_squares        sum over all entries;             targets (batch, outputs)
        # relu'(0) = 0. Nothing may overflow for logits in the thousands.
        raise NotImplementedError

    # Optional: leave it out, and what needs it is reported as "not offered".
    def train(self, x, targets, batches, optimizer):
        # batches    a list of index arrays: one step each, in this order, also for a short last one
        # optimizer  .name "sgd" (.learning_rate .momentum .nesterov .weight_decay)
        #            or "adam" (.learning_rate .beta1 .beta2 .eps .weight_decay), as torch.optim defines them
        # -> each step's loss, taken before its update. Starts with a fresh optimiser; changes the weights.
        raise NotImplementedError

    # Further optional methods that are checked where they exist:
    # initialize(architecture, seed)                            -> weights; layers drawn independently
    # shuffle(x, targets, seed)                                 -> (x, targets), rows and targets together
    # epoch_batches(n_examples, batch_size, seed)               -> index arrays; every example once
    # train_epoch(x, targets, batch_size, optimizer, seed)      -> mean loss over the examples
    # learning_rates("constant" | "cosine", rate, n_steps)      -> array of n_steps rates
'''


def skeleton(file: str) -> str:
    return SKELETON.replace("{file}", file)
