"""The skeleton that `backproof check --init FILE` writes: every method with its contract in comments."""

from collections.abc import Collection

SKELETON = '''"""A multilayer perceptron to be checked:  backproof check {file}:MyMLP"""

import numpy as np


class MyMLP:
    """z_l = a_(l-1) @ W_l + b_l; hidden layers apply the activation; the last layer gives logits."""

    # Where yours is written otherwise, say so by taking the # away (see `backproof check --help`):
    # outputs = "probabilities"       # or "log_probabilities": what logits() returns
    # targets = "one_hot"             # labels of cross-entropy as rows (batch, outputs)
    # weight_layout = "out_in"        # W is (fan_out, fan_in)
    # samples = "columns"             # x is (features, batch), and so are targets and outputs
    # samples = "single"              # one example at a time: x is (features,)
    # biases = "row"                  # (1, n); or "column" (n, 1), or "none": no pairs then
    # biases = "last"                 # W holds them as its last row; or "first": no pairs then
    # gradients = "per_example"       # one more axis, in front
    # activation = "relu"             # the only one it has; also leaky_relu, elu, softplus, gelu, silu
    # output_activation = "sigmoid"   # under squared error; or "tanh", "softmax"; tanh before a softmax
    # supports = {"loss": ["mse"], "hidden_layers": [1], "dtype": ["float64"]}

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

    # In place of all methods, for a network of yours that is elsewhere, say what it calls its things:
    # wraps = TheirNetwork                            # or a function that makes one from its sizes
    # forward, gradient = "feedforward", "backprop"   # or step = "train", which changes the weights
    # cost, rate = "loss", "optimizer.lr"             # what tells its loss; where its learning rate lies
    # supports = {"loss": ["cross_entropy"]}          # all else is found out, and said

    # In place of load and weights alone:
    # def network(self, architecture):
    #     return TheirNetwork(architecture.layer_sizes)   # its weights are found in it; then self.net

    def weights(self):
        # Copies of the weights as they are now, in the form load takes them.
        return [(W.copy(), b.copy()) for W, b in self.layers]

    def logits(self, x):
        # x (batch, inputs) -> (batch, outputs). Deterministic; a sample does not depend on the others.
        raise NotImplementedError

    def loss_and_gradient(self, x, targets):
        # -> (loss as a float, gradient in the form of weights(), or W1, b1, W2, b2, ... in one list, or two
        # lists, of the W and of the b). The weights do not change.
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


PASTE = """from backproof import check_gradient   # a loss and its gradient, of a vector theta

def loss(theta): ...        # put theta into your weights, return the loss as a float
def gradient(theta): ...    # the same, and return your gradient in theta's order
print(check_gradient(loss, gradient, theta))"""


def skeleton(file: str) -> str:
    return SKELETON.replace("{file}", file)


def advice(methods: Collection[str], place: str) -> list[str]:
    """What to do with a class that has none of the methods; nothing where it has them."""
    if "load" in methods and {"logits", "loss_and_gradient", "step"} & set(methods):
        return []
    source = f" --from {place}" if place.endswith(".py") else ""
    return [
        "\nThe class has no load with logits or loss_and_gradient. An adapter to fill in is written by",
        f"    backproof check --init adapter.py{source}",
        "or, without any class:",
        *(f"    {line}" for line in PASTE.splitlines()),
    ]
