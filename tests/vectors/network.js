// The network of the lessons' page answers the vectors: node network.js FOLDER ANSWERS [MISTAKE]
// MISTAKE: "slope" leaves the activation's derivative out, "mean" sums where the mean belongs.
"use strict";
const path = require("path");
const { readProblem, writeAnswer, problemNames } = require("./reader.js");
const network = require(path.join(__dirname, "../../comparisons/lessons/templates/network.js"));

const NAMES = { slope: "DeltaWithoutDerivative", mean: "CrossEntropyNotDividedByBatch" };

function answer({ header, given }, mistake) {
  const { layer_sizes: sizes, activation, loss, dtype } = header;
  const model = { sizes, activation, loss, round: dtype === "float32" ? Math.fround : network.exactly };
  const n = given.x.shape[0];
  const numbers = sizes.slice(1).flatMap((_, l) => [...given[`W${l + 1}`].data, ...given[`b${l + 1}`].data]);
  const theta = Float64Array.from(numbers);
  const x = Float64Array.from(given.x.data);
  const found = network.backprop(model, theta, x, Float64Array.from(given.targets.data), n, NAMES[mistake]);
  const tensors = { loss: { shape: [], data: [found.loss] } };
  const put = (name, shape, data) => { tensors[name] = { shape, data: Array.from(data) }; };
  const { inputs, zs } = found.forward;
  network.layers(sizes, found.gradient).forEach(({ W, b, fanIn, fanOut }, l) => {
    put(l + 2 === sizes.length ? "logits" : `z${l + 1}`, [n, fanOut], zs[l]);
    if (l > 0) put(`a${l}`, [n, fanIn], inputs[l]);
    put(`delta${l + 1}`, [n, fanOut], found.deltas[l]);
    put(`dW${l + 1}`, [fanIn, fanOut], W);
    put(`db${l + 1}`, [fanOut], b);
  });
  return tensors;
}

module.exports = { answer };
if (require.main === module) {
  const [folder, answers, mistake] = process.argv.slice(2);
  for (const name of problemNames(folder)) {
    const problem = readProblem(folder, name);
    writeAnswer(answers, name, problem.header.dtype, answer(problem, mistake));
  }
}
