"use strict";
// A multilayer perceptron in plain JavaScript, and its gradient in four ways. It touches no page.
//
//   a_0 = x,  z_l = a_(l-1) W_l + b_l,  a_l = f(z_l); the last layer has no f: its z are the logits
//   delta_L = dL/dz_L,  delta_l = (delta_(l+1) W_(l+1)^T) * f'(z_l)
//   dW_l = a_(l-1)^T delta_l,  db_l = sum of delta_l over the examples
//
//   forward difference  (L(t + h) - L(t)) / h            central  (L(t + h) - L(t - h)) / 2h
//   complex step        Im L(t + ih) / h                 backprop: all of the above in one backward pass
//
// A matrix (rows, columns) is one flat array, row by row; theta is one flat array too, layer by layer, weight
// then bias. `round` is the arithmetic: Math.fround rounds every operation to float32, `exactly` to none but
// JavaScript's own float64.
const network = (() => {
  const exactly = (value) => value;
  const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
  const ACTIVATIONS = {
    identity: [(z) => z, () => 1],
    relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
    tanh: [Math.tanh, (z) => 1 - Math.tanh(z) ** 2],
    sigmoid: [sigmoid, (z) => sigmoid(z) * sigmoid(-z)],
    step: [(z) => (z > 0 ? 1 : 0), () => 0],
  };

  // {W, b, fanIn, fanOut} of every layer, as views of theta.
  function layers(sizes, theta) {
    const found = [];
    let at = 0;
    for (let l = 1; l < sizes.length; l++) {
      const [fanIn, fanOut] = [sizes[l - 1], sizes[l]];
      const W = theta.subarray(at, (at += fanIn * fanOut));
      found.push({ W, b: theta.subarray(at, (at += fanOut)), fanIn, fanOut });
    }
    return found;
  }

  const count = (sizes) => sizes.slice(1).reduce((sum, fanOut, l) => sum + (sizes[l] + 1) * fanOut, 0);

  // A (n, m) times B (m, k), or A^T times B, or A times B^T; every product and sum is rounded.
  function product(A, B, n, m, k, round, { left = false, right = false } = {}) {
    const C = new Float64Array(n * k);
    for (let i = 0; i < n; i++) {
      for (let p = 0; p < m; p++) {
        const a = left ? A[p * n + i] : A[i * m + p];
        if (a === 0) continue;
        if (round === exactly) { // the same without the calls: most of the time goes here
          if (right) for (let j = 0; j < k; j++) C[i * k + j] += a * B[j * m + p];
          else for (let j = 0; j < k; j++) C[i * k + j] += a * B[p * k + j];
          continue;
        }
        for (let j = 0; j < k; j++) {
          C[i * k + j] = round(C[i * k + j] + round(a * (right ? B[j * m + p] : B[p * k + j])));
        }
      }
    }
    return C;
  }

  // Everything the backward pass needs: inputs[l] and zs[l] of layer l + 1; the last z are the logits.
  function forward(model, theta, x, n) {
    const round = model.round || exactly;
    const f = ACTIVATIONS[model.activation][0];
    const parts = layers(model.sizes, theta);
    const [inputs, zs] = [[x], []];
    parts.forEach(({ W, b, fanIn, fanOut }, l) => {
      const z = product(inputs[l], W, n, fanIn, fanOut, round).map((v, i) => round(v + b[i % fanOut]));
      zs.push(z);
      if (l + 1 < parts.length) inputs.push(z.map((v) => round(f(v))));
    });
    return { inputs, zs, logits: zs[zs.length - 1] };
  }

  // The loss of logits (n, k) and its derivative delta (n, k).
  function lossAndDelta(kind, logits, targets, n, round = exactly) {
    const k = logits.length / n;
    const sum = (values) => values.reduce((s, v) => round(s + v), 0);
    if (kind === "cross_entropy") {
      const [terms, delta] = [new Float64Array(n), new Float64Array(n * k)];
      for (let i = 0; i < n; i++) {
        const row = logits.subarray(i * k, (i + 1) * k);
        const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
        const powers = row.map((v) => round(Math.exp(round(v - largest))));
        const total = sum(powers);
        terms[i] = round(round(largest + round(Math.log(total))) - row[targets[i]]);
        powers.forEach((p, j) => { delta[i * k + j] = round(round(round(p / total) - (targets[i] === j)) / n); });
      }
      return [round(sum(terms) / n), delta];
    }
    if (kind === "binary_cross_entropy") {
      const term = (v, i) => round(Math.max(v, 0) - v * targets[i] + Math.log1p(Math.exp(-Math.abs(v))));
      return [round(sum(logits.map(term)) / (n * k)), logits.map((v, i) => round((sigmoid(v) - targets[i]) / (n * k)))];
    }
    const scale = kind === "mse" ? 1 / (n * k) : 1;
    const squares = logits.map((v, i) => round((v - targets[i]) ** 2));
    return [round(sum(squares) * scale), logits.map((v, i) => round(2 * (v - targets[i]) * scale))];
  }

  function loss(model, theta, x, targets, n) {
    return lossAndDelta(model.loss, forward(model, theta, x, n).logits, targets, n, model.round)[0];
  }

  // What people get wrong, by the names that `backproof zoo` knows them by.
  const MISTAKES = {
    BiasAveragedTwice: "bias", DeltaWithoutDerivative: "slope", BiasSignOfOneLayer: "bias",
    RoundedConstant: "delta", SoftmaxJacobianDiagonalOnly: "delta", CrossEntropyNotDividedByBatch: "delta",
  };

  function mistaken(name, delta, logits, n) {
    const k = delta.length / n;
    if (name === "CrossEntropyNotDividedByBatch") return delta.map((v) => v * n);
    if (name === "RoundedConstant") return delta.map((v) => v * 1.0005);
    if (name !== "SoftmaxJacobianDiagonalOnly") return delta;
    // (p - t) / n  ->  -(t / p) p (1 - p) / n: the other columns of the Jacobian are left out.
    return delta.map((v, i) => (v < 0 ? v : 0));
  }

  // {loss, deltas, gradient}: gradient is shaped like theta.
  function backprop(model, theta, x, targets, n, mistake = "") {
    const round = model.round || exactly;
    const slope = mistake === "DeltaWithoutDerivative" ? () => 1 : ACTIVATIONS[model.activation][1];
    const parts = layers(model.sizes, theta);
    const { inputs, zs, logits } = forward(model, theta, x, n);
    const [value, first] = lossAndDelta(model.loss, logits, targets, n, round);
    const gradient = new Float64Array(theta.length);
    const into = layers(model.sizes, gradient);
    const deltas = [];
    let delta = mistaken(mistake, first, logits, n);
    for (let l = parts.length - 1; l >= 0; l--) {
      const { W, fanIn, fanOut } = parts[l];
      deltas[l] = delta;
      into[l].W.set(product(inputs[l], delta, fanIn, n, fanOut, round, { left: true }));
      const sign = mistake === "BiasSignOfOneLayer" && l === 0 ? -1 : 1;
      const divisor = mistake === "BiasAveragedTwice" ? n : 1;
      delta.forEach((v, i) => { into[l].b[i % fanOut] = round(into[l].b[i % fanOut] + (sign * v) / divisor); });
      if (l > 0) {
        const back = product(delta, W, n, fanOut, fanIn, round, { right: true });
        delta = back.map((v, i) => round(v * round(slope(zs[l - 1][i]))));
      }
    }
    return { loss: value, deltas, gradient, forward: { inputs, zs, logits } };
  }

  // --- the update: each gives step(theta, gradient), which moves theta

  const OPTIMIZERS = {
    sgd: (rate) => (theta, gradient) => gradient.forEach((g, i) => { theta[i] -= rate * g; }),
    // As PyTorch has it: m and v are means of the gradient and of its square, corrected for their start at 0.
    adam: (rate, size) => {
      const [m, v] = [new Float64Array(size), new Float64Array(size)];
      let k = 0;
      return (theta, gradient) => {
        k += 1;
        const [first, second] = [1 - 0.9 ** k, 1 - 0.999 ** k];
        gradient.forEach((g, i) => {
          m[i] = 0.9 * m[i] + 0.1 * g;
          v[i] = 0.999 * v[i] + 0.001 * g * g;
          theta[i] -= (rate * (m[i] / first)) / (Math.sqrt(v[i] / second) + 1e-8);
        });
      };
    },
  };

  // --- numerical differentiation of any f(theta) -> number

  const SCHEMES = {
    forward: { passes: 1, quotient: (f, at, t, h, round, here) => round(round(f(round(t + h)) - here) / h) },
    central: {
      passes: 2,
      quotient: (f, at, t, h, round) => round(round(f(round(t + h)) - f(round(t - h))) / round(2 * h)),
    },
  };

  // The quotient of f along one number t; `here` is f(t), which all forward differences share.
  function quotient(scheme, f, t, h, round = exactly, here = f(t)) {
    return SCHEMES[scheme].quotient(f, null, t, round(h), round, here);
  }

  // One entry after the other: {gradient, passes}. `tell(i)` hears of every entry.
  function numerical(model, theta, x, targets, n, { scheme = "central", h = 1e-5, tell } = {}) {
    const moved = Float64Array.from(theta);
    const here = loss(model, theta, x, targets, n);
    const gradient = theta.map((t, i) => {
      const f = (value) => { moved[i] = value; return loss(model, moved, x, targets, n); };
      const found = quotient(scheme, f, t, h, model.round || exactly, here);
      moved[i] = t;
      if (tell) tell(i);
      return found;
    });
    return { gradient, passes: theta.length * SCHEMES[scheme].passes + (scheme === "forward" ? 1 : 0) };
  }

  // --- complex numbers, for the complex step: [re, im]

  const complex = {
    add: (a, b) => [a[0] + b[0], a[1] + b[1]],
    sub: (a, b) => [a[0] - b[0], a[1] - b[1]],
    mul: (a, b) => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]],
    div: ([a, b], [c, d]) => { const s = c * c + d * d; return [(a * c + b * d) / s, (b * c - a * d) / s]; },
    exp: ([a, b]) => [Math.exp(a) * Math.cos(b), Math.exp(a) * Math.sin(b)],
    log: ([a, b]) => [Math.log(Math.hypot(a, b)), Math.atan2(b, a)],
    // tanh(a + ib) = (sinh 2a + i sin 2b) / (cosh 2a + cos 2b)
    tanh: ([a, b]) => {
      if (Math.abs(a) > 20) return [Math.sign(a), 0];
      const s = Math.cosh(2 * a) + Math.cos(2 * b);
      return [Math.sinh(2 * a) / s, Math.sin(2 * b) / s];
    },
    sigmoid: (z) => {
      const e = complex.exp(z[0] >= 0 ? [-z[0], -z[1]] : z);
      return complex.div(z[0] >= 0 ? [1, 0] : e, complex.add([1, 0], e));
    },
  };
  const COMPLEX_ACTIVATIONS = {
    identity: (z) => z, tanh: complex.tanh, sigmoid: complex.sigmoid,
    relu: (z) => (z[0] > 0 ? z : [0, 0]), // branches are chosen by the real part
  };

  // Im L(t + ih) / h for entry `index` of theta.
  function complexStep(model, theta, x, targets, n, index, h = 1e-20) {
    const f = COMPLEX_ACTIVATIONS[model.activation];
    const parts = layers(model.sizes, theta);
    let a = Array.from(x, (v) => [v, 0]);
    let at = 0;
    const read = () => { const value = [theta[at], at === index ? h : 0]; at += 1; return value; };
    parts.forEach(({ fanIn, fanOut }, l) => {
      const W = Array.from({ length: fanIn * fanOut }, read);
      const b = Array.from({ length: fanOut }, read);
      const z = [];
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < fanOut; j++) {
          let s = b[j];
          for (let p = 0; p < fanIn; p++) s = complex.add(s, complex.mul(a[i * fanIn + p], W[p * fanOut + j]));
          z.push(s);
        }
      }
      a = l + 1 < parts.length ? z.map(f) : z;
    });
    return complexLoss(model.loss, a, targets, n)[1] / h;
  }

  function complexLoss(kind, logits, targets, n) {
    const k = logits.length / n;
    const { add, sub, mul, exp, log } = complex;
    const total = (terms, divisor) => terms.reduce(add, [0, 0]).map((v) => v / divisor);
    if (kind === "cross_entropy") {
      return total(Array.from({ length: n }, (_, i) => {
        const row = logits.slice(i * k, (i + 1) * k);
        const largest = [row.reduce((most, z) => Math.max(most, z[0]), -Infinity), 0];
        const sum = row.map((z) => exp(sub(z, largest))).reduce(add);
        return sub(add(largest, log(sum)), row[targets[i]]);
      }), n);
    }
    if (kind === "binary_cross_entropy") {
      // log(1 + e^z) - t z, with the exponential of a negative real part
      return total(logits.map((z, i) => {
        const positive = z[0] >= 0;
        const tail = log(add([1, 0], exp(positive ? [-z[0], -z[1]] : z)));
        return sub(add(positive ? z : [0, 0], tail), mul([targets[i], 0], z));
      }), n * k);
    }
    return total(logits.map((z, i) => { const d = sub(z, [targets[i], 0]); return mul(d, d); }), kind === "mse" ? n * k : 1);
  }

  return {
    ACTIVATIONS, MISTAKES, OPTIMIZERS, backprop, complex, complexStep, count, exactly, forward, layers, loss,
    lossAndDelta, numerical, quotient, sigmoid,
  };
})();
if (typeof module !== "undefined") module.exports = network;
