// A small network in plain JavaScript that answers the vectors: node network.js FOLDER ANSWERS [MISTAKE]
// MISTAKE: "slope" leaves the activation's derivative out, "mean" sums where the mean belongs.
"use strict";
const { readProblem, writeAnswer, problemNames } = require("./reader.js");

const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const ACTIVATIONS = {
  identity: [(z) => z, () => 1],
  relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  tanh: [Math.tanh, (z) => 1 - Math.tanh(z) ** 2],
  sigmoid: [sigmoid, (z) => sigmoid(z) * sigmoid(-z)],
};

// Matrices are arrays of rows.
const rows = ({ shape: [n, m], data }) => Array.from({ length: n }, (_, i) => data.slice(i * m, (i + 1) * m));
const transposed = (A) => A[0].map((_, j) => A.map((row) => row[j]));
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const product = (A, B) => { const columns = transposed(B); return A.map((a) => columns.map((b) => dot(a, b))); };
const mapped = (A, f) => A.map((row, i) => row.map((value, j) => f(value, i, j)));

function lossAndDelta(kind, z, targets) {
  const [n, k] = [z.length, z[0].length];
  if (kind === "cross_entropy") {
    const largest = z.map((row) => Math.max(...row));
    const sums = z.map((row, i) => row.reduce((s, v) => s + Math.exp(v - largest[i]), 0));
    const loss = z.reduce((s, row, i) => s + largest[i] + Math.log(sums[i]) - row[targets.data[i]], 0) / n;
    const delta = mapped(z, (v, i, j) => (Math.exp(v - largest[i]) / sums[i] - (targets.data[i] === j)) / n);
    return [loss, delta];
  }
  const t = rows(targets);
  if (kind === "binary_cross_entropy") {
    const term = (v, y) => Math.max(v, 0) - v * y + Math.log1p(Math.exp(-Math.abs(v)));
    const loss = z.flatMap((row, i) => row.map((v, j) => term(v, t[i][j]))).reduce((a, b) => a + b, 0) / (n * k);
    return [loss, mapped(z, (v, i, j) => (sigmoid(v) - t[i][j]) / (n * k))];
  }
  const scale = kind === "mse" ? 1 / (n * k) : 1;
  const loss = z.flatMap((row, i) => row.map((v, j) => (v - t[i][j]) ** 2)).reduce((a, b) => a + b, 0) * scale;
  return [loss, mapped(z, (v, i, j) => 2 * (v - t[i][j]) * scale)];
}

function answer({ header, given }, mistake) {
  const [f, slope] = ACTIVATIONS[header.activation];
  const round = header.dtype === "float32" ? Math.fround : (v) => v;
  const keep = (A) => mapped(A, round);
  const found = {};
  const put = (name, A) => { found[name] = { shape: [A.length, A[0].length], data: A.flat() }; return A; };
  const n = header.layer_sizes.length - 1;
  const inputs = [rows(given.x)];
  const zs = [];
  for (let layer = 1; layer <= n; layer++) {
    const bias = given[`b${layer}`].data;
    const z = keep(mapped(product(inputs[layer - 1], rows(given[`W${layer}`])), (v, i, j) => v + bias[j]));
    zs.push(put(layer === n ? "logits" : `z${layer}`, z));
    if (layer < n) inputs.push(put(`a${layer}`, keep(mapped(z, f))));
  }
  const [loss, first] = lossAndDelta(header.loss, zs[n - 1], given.targets);
  found.loss = { shape: [], data: [round(loss)] };
  const factor = mistake === "mean" ? inputs[0].length : 1;
  let delta = keep(mapped(first, (v) => v * factor));
  for (let layer = n; layer >= 1; layer--) {
    put(`delta${layer}`, delta);
    put(`dW${layer}`, keep(product(transposed(inputs[layer - 1]), delta)));
    const db = transposed(delta).map((column) => round(column.reduce((a, b) => a + b, 0)));
    found[`db${layer}`] = { shape: [db.length], data: db };
    if (layer > 1) {
      const back = product(delta, transposed(rows(given[`W${layer}`])));
      delta = keep(mapped(back, (v, i, j) => v * (mistake === "slope" ? 1 : slope(zs[layer - 2][i][j]))));
    }
  }
  return found;
}

module.exports = { answer, lossAndDelta };
if (require.main === module) {
  const [folder, answers, mistake] = process.argv.slice(2);
  for (const name of problemNames(folder)) {
    const problem = readProblem(folder, name);
    writeAnswer(answers, name, problem.header.dtype, answer(problem, mistake));
  }
}
