"""Two mistakes at once, and mistakes beside a convention. The parts are the classes of the other files."""

import numpy as np
from field_mistakes import (
    BiasAveragedWeightSummed,
    BiasesNeverUpdated,
    BuffersNeverCleared,
    CorrectedMomentsStored,
    DampenedVelocity,
    DecayOnWeightsOnly,
    DeltaWithoutDerivative,
    DerivativeTwice,
    DividedByInputs,
    EpsHat,
    NesterovUnasked,
    OneHotLeftOut,
    PenaltyInGradientOnly,
    SigmoidPrimeTwice,
    SoftmaxOverTheWholeBatch,
    SquareWithoutTwo,
    TanhSquareMissing,
)
from gradient_mistakes import (
    BiasAveragedTwice,
    BiasMeanInHiddenLayers,
    BiasSignOfOneLayer,
    BiasSummedOverAllAxes,
    CrossEntropyNotDividedByBatch,
    HalfWeightDecay,
    MseAveragedInTheLossOnly,
    ReluMaskOnPostActivation,
    SigmoidDerivativeOfOutput,
    SoftmaxJacobianDiagonalOnly,
    SoftmaxOverSamples,
    TanhDerivativeOfPreActivation,
    WeightNotTransposed,
)
from optimizer_mistakes import EpsInsideTheRoot, MomentumTimesGradient
from student import StudentMLP

# -- conventions: right by themselves (they are among the correct classes), here with a mistake beside them


class SummedLoss(StudentMLP):
    """Every mean is a sum over the examples: a convention."""

    def loss_value(self, z, targets):
        value = super().loss_value(z, targets)
        return value if self.architecture.loss == "sum_of_squares" else value * len(z)

    def output_delta(self, z, targets):
        delta = super().output_delta(z, targets)
        mean = self.architecture.loss != "sum_of_squares"
        return delta * np.array(len(z), z.dtype) if mean else delta


class HalfSquares(StudentMLP):
    """Half the square: a convention."""

    def loss_value(self, z, targets):
        squares = self.architecture.loss in ("mse", "sum_of_squares")
        return super().loss_value(z, targets) * (0.5 if squares else 1.0)

    def output_delta(self, z, targets):
        delta = super().output_delta(z, targets)
        return delta / 2 if self.architecture.loss in ("mse", "sum_of_squares") else delta


class ShiftedLogarithm(StudentMLP):
    """log(p + 1e-7) in the loss, p - t in the gradient: a convention."""

    def loss_value(self, z, targets):
        if self.architecture.loss != "cross_entropy":
            return super().loss_value(z, targets)
        return float(-np.mean(np.log(self.softmax(z)[np.arange(len(z)), targets] + 1e-7)))


class PenalisedWeights(StudentMLP):
    """lambda/2 |W|^2 in the loss and lambda W in the gradient: a convention."""

    def loss_value(self, z, targets):
        return super().loss_value(z, targets) + 0.05 * sum(float((W**2).sum()) for W in self.W)

    def weight_gradient(self, activations, delta, layer):
        dW = super().weight_gradient(activations, delta, layer)
        return dW + np.array(0.1, dW.dtype) * self.W[layer]


class SlopeOneAtZero(StudentMLP):
    """relu'(0) = 1: a convention."""

    def activation_derivative(self, z, a):
        if self.architecture.activation == "relu":
            return (z >= 0).astype(z.dtype)
        return super().activation_derivative(z, a)


# -- two mistakes, or one and a convention


class ReluMaskOnPostActivationAndCrossEntropyNotDividedByBatch(
    ReluMaskOnPostActivation, CrossEntropyNotDividedByBatch
):
    """The relu mask is a >= 0, which is true everywhere; and the cross-entropy gradient is not
    divided by N.
    """


class BiasAveragedTwiceAndTanhSquareMissing(BiasAveragedTwice, TanhSquareMissing):
    """The bias gradient is averaged over the batch although delta holds 1/N already, in every
    layer; and tanh' is taken as 1 - a.
    """


class SoftmaxOverSamplesAndTanhDerivativeOfPreActivation(SoftmaxOverSamples, TanhDerivativeOfPreActivation):
    """Softmax is taken over axis 0 in the gradient; and tanh' = 1 - z^2 instead of 1 - tanh(z)^2."""


class WeightNotTransposedAndBiasSignOfOneLayer(WeightNotTransposed, BiasSignOfOneLayer):
    """W where W^T belongs; only square layers let it through; and the sign of the first layer's
    bias gradient.
    """


class SoftmaxJacobianDiagonalOnlyAndReluMaskOnPostActivation(
    SoftmaxJacobianDiagonalOnly, ReluMaskOnPostActivation
):
    """The softmax Jacobian is taken as its diagonal p (1 - p); and the relu mask is a >= 0, which
    is true everywhere.
    """


class MseAveragedInTheLossOnlyAndSigmoidDerivativeOfOutput(
    MseAveragedInTheLossOnly, SigmoidDerivativeOfOutput
):
    """Mse is averaged over outputs in the loss only; and sigmoid' = s (1 - s) with s = sigmoid(a):
    the sigmoid is applied twice.
    """


class DeltaWithoutDerivativeAndBiasAveragedTwice(DeltaWithoutDerivative, BiasAveragedTwice):
    """Delta is passed back without f'; and the bias gradient is averaged over the batch although
    delta holds 1/N already, in every layer.
    """


class OneHotLeftOutAndWeightNotTransposed(OneHotLeftOut, WeightNotTransposed):
    """The one-hot labels are left out of softmax minus one-hot; and W where W^T belongs; only
    square layers let it through.
    """


class SigmoidPrimeTwiceAndCrossEntropyNotDividedByBatch(SigmoidPrimeTwice, CrossEntropyNotDividedByBatch):
    """The sigmoid's derivative is multiplied into p - t, which holds it already; and the cross-
    entropy gradient is not divided by N.
    """


class SoftmaxOverTheWholeBatchAndDerivativeTwice(SoftmaxOverTheWholeBatch, DerivativeTwice):
    """The softmax is normalised over the whole batch; and The derivative of the activation is
    multiplied in twice.
    """


class SquareWithoutTwoAndDeltaWithoutDerivative(SquareWithoutTwo, DeltaWithoutDerivative):
    """The factor 2 of the square is missing from the gradient of mse and of the sum of squares; and
    delta is passed back without f'.
    """


class BiasSummedOverAllAxesAndCrossEntropyNotDividedByBatch(
    BiasSummedOverAllAxes, CrossEntropyNotDividedByBatch
):
    """The bias gradient is summed over all axes; and the cross-entropy gradient is not divided by
    N.
    """


class BiasMeanInHiddenLayersAndReluMaskOnPostActivation(BiasMeanInHiddenLayers, ReluMaskOnPostActivation):
    """The bias gradient is the mean where the loss is a mean already (hidden layers only); and the
    relu mask is a >= 0, which is true everywhere.
    """


class DividedByInputsAndTanhSquareMissing(DividedByInputs, TanhSquareMissing):
    """The gradient is divided by the number of inputs instead of the batch size; and tanh' is taken
    as 1 - a.
    """


class PenaltyInGradientOnlyAndReluMaskOnPostActivation(PenaltyInGradientOnly, ReluMaskOnPostActivation):
    """Lambda W is added to the gradient and missing from the loss; and the relu mask is a >= 0,
    which is true everywhere.
    """


class BiasAveragedWeightSummedAndSigmoidDerivativeOfOutput(
    BiasAveragedWeightSummed, SigmoidDerivativeOfOutput
):
    """The bias gradient is averaged over the batch while the weight gradient is summed; and
    sigmoid' = s (1 - s) with s = sigmoid(a): the sigmoid is applied twice.
    """


class EpsInsideTheRootAndNesterovUnasked(EpsInsideTheRoot, NesterovUnasked):
    """Adam's eps stands inside the square root; and Nesterov's look-ahead is taken although it was
    not asked for.
    """


class MomentumTimesGradientAndCorrectedMomentsStored(MomentumTimesGradient, CorrectedMomentsStored):
    """V + mu g where mu v + g belongs; and Adam's bias-corrected moments are stored back."""


class DampenedVelocityAndDecayOnWeightsOnly(DampenedVelocity, DecayOnWeightsOnly):
    """The velocity is dampened by (1 - mu); and the decay is on W only, where torch.optim decays
    every parameter.
    """


class BiasesNeverUpdatedAndEpsHat(BiasesNeverUpdated, EpsHat):
    """The biases are never updated: their gradient is overwritten in their place; and Adam's eps is
    added before the bias correction, the eps-hat form.
    """


class HalfWeightDecayAndMomentumTimesGradient(HalfWeightDecay, MomentumTimesGradient):
    """Weight decay lambda/2 where lambda belongs; and v + mu g where mu v + g belongs."""


class BuffersNeverClearedAndEpsHat(BuffersNeverCleared, EpsHat):
    """Gradient buffers are never cleared between the steps of train; and Adam's eps is added before
    the bias correction, the eps-hat form.
    """


class ReluMaskOnPostActivationAndEpsInsideTheRoot(ReluMaskOnPostActivation, EpsInsideTheRoot):
    """The relu mask is a >= 0, which is true everywhere; and Adam's eps stands inside the square
    root.
    """


class BiasAveragedTwiceAndDampenedVelocity(BiasAveragedTwice, DampenedVelocity):
    """The bias gradient is averaged over the batch although delta holds 1/N already, in every
    layer; and the velocity is dampened by (1 - mu).
    """


class CrossEntropyNotDividedByBatchAndBiasesNeverUpdated(CrossEntropyNotDividedByBatch, BiasesNeverUpdated):
    """The cross-entropy gradient is not divided by N; and the biases are never updated: their
    gradient is overwritten in their place.
    """


class DeltaWithoutDerivativeAndNesterovUnasked(DeltaWithoutDerivative, NesterovUnasked):
    """Delta is passed back without f'; and Nesterov's look-ahead is taken although it was not asked
    for.
    """


class SumsAndReluMaskOnPostActivation(ReluMaskOnPostActivation, SummedLoss):
    """The relu mask is a >= 0, which is true everywhere, beside a convention: sums where means are
    ours.
    """


class SumsAndBiasSummedOverAllAxes(BiasSummedOverAllAxes, SummedLoss):
    """The bias gradient is summed over all axes, beside a convention: sums where means are ours."""


class SumsAndTanhSquareMissing(TanhSquareMissing, SummedLoss):
    """Tanh' is taken as 1 - a, beside a convention: sums where means are ours."""


class SumsAndWeightNotTransposed(WeightNotTransposed, SummedLoss):
    """W where W^T belongs; only square layers let it through, beside a convention: sums where means
    are ours.
    """


class HalvesAndDeltaWithoutDerivative(DeltaWithoutDerivative, HalfSquares):
    """Delta is passed back without f', beside a convention: half the square."""


class HalvesAndBiasAveragedTwice(BiasAveragedTwice, HalfSquares):
    """The bias gradient is averaged over the batch although delta holds 1/N already, in every
    layer, beside a convention: half the square.
    """


class HalvesAndBiasSignOfOneLayer(BiasSignOfOneLayer, HalfSquares):
    """The sign of the first layer's bias gradient, beside a convention: half the square."""


class ShiftAndReluMaskOnPostActivation(ReluMaskOnPostActivation, ShiftedLogarithm):
    """The relu mask is a >= 0, which is true everywhere, beside a convention: log(p + 1e-7)."""


class ShiftAndCrossEntropyNotDividedByBatch(CrossEntropyNotDividedByBatch, ShiftedLogarithm):
    """The cross-entropy gradient is not divided by N, beside a convention: log(p + 1e-7)."""


class ShiftAndSoftmaxOverSamples(SoftmaxOverSamples, ShiftedLogarithm):
    """Softmax is taken over axis 0 in the gradient, beside a convention: log(p + 1e-7)."""


class ShiftAndWeightNotTransposed(WeightNotTransposed, ShiftedLogarithm):
    """W where W^T belongs; only square layers let it through, beside a convention: log(p + 1e-7)."""


class PenaltyAndTanhSquareMissing(TanhSquareMissing, PenalisedWeights):
    """Tanh' is taken as 1 - a, beside a convention: a penalty on W."""


class PenaltyAndBiasAveragedTwice(BiasAveragedTwice, PenalisedWeights):
    """The bias gradient is averaged over the batch although delta holds 1/N already, in every
    layer, beside a convention: a penalty on W.
    """


class PenaltyAndReluMaskOnPostActivation(ReluMaskOnPostActivation, PenalisedWeights):
    """The relu mask is a >= 0, which is true everywhere, beside a convention: a penalty on W."""


class PenaltyTwiceInTheGradient(PenalisedWeights):
    """The gradient holds 2 lambda W, where lambda/2 |W|^2 of the loss has lambda W."""

    def weight_gradient(self, activations, delta, layer):
        dW = super().weight_gradient(activations, delta, layer)
        return dW + np.array(0.1, dW.dtype) * self.W[layer]


class PenaltyOverNInTheGradient(PenalisedWeights):
    """The gradient's penalty is divided by N, and the loss's is not."""

    def weight_gradient(self, activations, delta, layer):
        dW, n = super().weight_gradient(activations, delta, layer), len(delta)
        return dW + np.array(0.1 / n - 0.1, dW.dtype) * self.W[layer]


class BiasesDecayedInTheGradientOnly(PenalisedWeights):
    """Lambda b is added to the bias gradient, and the loss's penalty is on the weights alone."""

    def bias_gradient(self, delta, layer):
        db = super().bias_gradient(delta, layer)
        return db + np.array(0.1, db.dtype) * self.b[layer]


class SlopeAndBiasAveragedTwice(BiasAveragedTwice, SlopeOneAtZero):
    """The bias gradient is averaged over the batch although delta holds 1/N already, in every
    layer, beside a convention: relu'(0) = 1.
    """


class SlopeAndTanhDerivativeOfPreActivation(TanhDerivativeOfPreActivation, SlopeOneAtZero):
    """Tanh' = 1 - z^2 instead of 1 - tanh(z)^2, beside a convention: relu'(0) = 1."""


class SumsAndEpsInsideTheRoot(EpsInsideTheRoot, SummedLoss):
    """Adam's eps stands inside the square root, beside a convention: sums where means are ours."""


class HalvesAndDampenedVelocity(DampenedVelocity, HalfSquares):
    """The velocity is dampened by (1 - mu), beside a convention: half the square."""


class ShiftAndMomentumTimesGradient(MomentumTimesGradient, ShiftedLogarithm):
    """V + mu g where mu v + g belongs, beside a convention: log(p + 1e-7)."""


class PenaltyAndCorrectedMomentsStored(CorrectedMomentsStored, PenalisedWeights):
    """Adam's bias-corrected moments are stored back, beside a convention: a penalty on W."""
