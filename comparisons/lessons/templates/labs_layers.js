// XOR on two hidden units; layers that collapse; factors of the chain rule; a matrix product; relus that die.
(() => {
  // Training on all examples at once: the losses before every step and after the last.
  function trained(model, start, x, t, n, steps, step) {
    const theta = Float64Array.from(start);
    const losses = [];
    for (let k = 0; k < steps; k++) {
      const { loss, gradient } = network.backprop(model, theta, x, t, n);
      losses.push(loss);
      step(theta, gradient);
    }
    losses.push(network.loss(model, theta, x, t, n));
    return { theta, losses };
  }

  const XOR_START = 5; // one that learns
  const XOR = { sizes: [2, 2, 1], activation: "tanh", loss: "binary_cross_entropy", round: network.exactly };
  const PAIRS = Float64Array.from([0, 0, 0, 1, 1, 0, 1, 1]);
  const WANTED = Float64Array.from([0, 1, 1, 0]);
  lab("xor", [{
    key: "train",
    controls: [
      control.range("start", { min: 0, max: 19, value: XOR_START, show: (v) => String(v + 1) }),
      control.range("steps", { min: 0, max: 400, step: 5, value: 100, play: true }),
    ],
    compute({ start, steps }) {
      const adam = network.OPTIMIZERS.adam(0.05, network.count(XOR.sizes));
      const { theta, losses } = trained(XOR, pageData.lab.xor[start], PAIRS, WANTED, 4, steps, adam);
      const logits = Array.from(network.forward(XOR, theta, PAIRS, 4).logits);
      return { theta, losses, loss: losses[steps], answers: logits.map((z) => (z > 0 ? 1 : 0)) };
    },
    draw(host, { theta, losses }, state, say) {
      const [left, right] = twoWays.panels(host);
      const axis = Array.from({ length: 33 }, (_, i) => -0.5 + i / 16);
      const points = Float64Array.from(axis.flatMap((b) => axis.flatMap((a) => [a, b])));
      const z = network.forward(XOR, theta, points, axis.length ** 2).logits;
      const rows = axis.map((_, r) => Array.from(z.subarray(r * axis.length, (r + 1) * axis.length), network.sigmoid));
      chart.draw(left, {
        height: 380, alt: say("alt"), x: { title: "x₁", range: [-0.55, 1.55] }, y: { title: "x₂", range: [-0.55, 1.55] },
        marks: [
          { kind: "heat", x: axis, y: axis, z: rows, low: 0, high: 1, scale: "classes", ghost: true },
          { kind: "points", x: [0, 1], y: [1, 0], ink: "torch", shape: "diamond", size: 14, name: "XOR = 1" },
          { kind: "points", x: [0, 1], y: [0, 1], ink: "scratch", size: 14, name: "XOR = 0" },
        ],
      });
      chart.draw(right, {
        height: 380, alt: say("alt_loss"), x: { title: say("axis_step"), range: [0, 400] }, y: { title: say("axis_loss"), log: true, range: [1e-3, 5] },
        marks: [{ kind: "rule", y: Math.LN2, name: "ln 2" }, { kind: "line", x: losses.map((_, i) => i), y: losses, ink: "scratch", name: say("axis_loss") }],
      });
      return null;
    },
    readings: ({ loss, answers }) => [["loss", chart.show(loss, 6)], ["answers", answers.join("")]],
    claims: ({ answers, loss }) => [["solved", answers.join("") === "0110", { answers: answers.join("") }], ["surer", loss < 0.05, { loss: chart.show(loss) }]],
  }]);

  // f(z) = z for z > 0, else leak z: 1 is a straight line, 0 is relu.
  function leaky(theta, sizes, leak, x) {
    let a = [x];
    const parts = network.layers(sizes, theta);
    parts.forEach(({ W, b, fanIn, fanOut }, l) => {
      const z = Array.from(b, (bias, j) => a.reduce((s, v, i) => s + v * W[i * fanOut + j], bias));
      a = l + 1 < parts.length ? z.map((v) => (v > 0 ? v : leak * v)) : z;
    });
    return a[0];
  }
  const DEEP = [1, 8, 8, 1];
  lab("linear-collapse", [{
    key: "collapse",
    controls: [
      control.range("leak", { min: 0, max: 1, step: 0.05, value: 0 }),
      control.range("x", { min: -3, max: 3, step: 0.1, value: 1 }),
    ],
    compute({ leak, x }) {
      const theta = Float64Array.from(pageData.lab.deep);
      const f = (v) => leaky(theta, DEEP, leak, v);
      const xs = Array.from({ length: 121 }, (_, i) => -3 + i / 20);
      const ys = xs.map(f);
      const straight = (v) => f(0) + (f(1) - f(0)) * v;
      const bend = Math.max(...xs.map((v, i) => Math.abs(ys[i] - straight(v))));
      return { xs, ys, y: f(x), straight, bend };
    },
    draw(host, { xs, ys, y, straight }, { x }, say) {
      return chart.draw(host, {
        height: 360, alt: say("alt"), x: { title: "x", range: [-3, 3] }, y: { title: say("axis_y") },
        marks: [
          { kind: "line", x: xs, y: xs.map(straight), ink: "reference", dash: "dash", name: say("one_layer") },
          { kind: "line", x: xs, y: ys, ink: "scratch", width: 2.5, name: say("three_layers") },
          { kind: "points", x: [x], y: [y], ink: "scratch", size: 12 },
        ],
      });
    },
    drag: ([x]) => ({ x }),
    readings: ({ y, bend }) => [["y", chart.show(y, 6)], ["bend", chart.show(bend, 3)]],
    claims: ({ bend }) => [["one_layer_is_enough", bend < 1e-9, { bend: chart.show(bend, 2) }]],
  }]);

  const NAMES = ["w1", "b1", "w2", "b2", "w3", "b3"];
  const chain = ({ w1, b1, w2, b2, w3, b3, x }) => {
    const H1 = w1 * x + b1;
    const A1 = network.sigmoid(H1);
    const H2 = w2 * A1 + b2;
    const A2 = network.sigmoid(H2);
    const error = w3 * A2 + b3 - 0.4;
    return { A1, A2, error, s1: A1 * (1 - A1), s2: A2 * (1 - A2), loss: (error * error) / 2 };
  };
  lab("chain-rule", [{
    key: "factors",
    controls: [
      control.choice("which", NAMES, "w1"),
      control.range("x", { min: -20, max: 20, step: 0.5, value: 1.5 }),
      control.range("w1", { min: -2, max: 2, step: 0.1, value: 0.8 }),
      control.range("w2", { min: -2, max: 2, step: 0.1, value: 1.2 }),
      control.range("w3", { min: -2, max: 2, step: 0.1, value: -0.9 }),
    ],
    compute({ which, x, w1, w2, w3 }) {
      const at = { w1, b1: -0.3, w2, b2: 0.4, w3, b3: 0.2, x };
      const { A1, A2, error, s1, s2 } = chain(at);
      const second = [["ŷ − y", error], ["w₃", w3], ["σ′(H₂)", s2]];
      const first = [...second, ["w₂", w2], ["σ′(H₁)", s1]];
      const factors = { w3: [second[0], ["A₂", A2]], b3: [second[0]], w2: [...second, ["A₁", A1]], b2: second, w1: [...first, ["x", x]], b1: first }[which];
      const h = 1e-5;
      const difference = (chain({ ...at, [which]: at[which] + h }).loss - chain({ ...at, [which]: at[which] - h }).loss) / (2 * h);
      return { factors, product: factors.reduce((p, [, v]) => p * v, 1), difference };
    },
    draw(host, { factors }, state, say) {
      const names = factors.map(([name]) => name);
      return chart.draw(host, {
        height: 330, alt: say("alt"), x: { names, title: say("axis_factor") }, y: { title: say("axis_value") },
        marks: [{ kind: "rule", y: 0, dash: "dot" }, { kind: "bars", x: names, y: factors.map(([, v]) => v), ink: "scratch" }],
      });
    },
    readings: ({ product, difference }) => [["product", chart.show(product, 6)], ["difference", chart.show(difference, 6)]],
    claims: ({ product, difference }) => [
      ["agree", Math.abs(product - difference) < 1e-9, { gap: chart.show(Math.abs(product - difference), 2) }],
      ["alive", Math.abs(product) > 1e-3, { product: chart.show(product, 2) }],
    ],
  }]);

  lab("shapes", [{
    key: "entry",
    controls: [control.range("i", { min: 0, max: 4, value: 3 }), control.range("j", { min: 0, max: 3, value: 2 })],
    compute({ i, j }) {
      const { inputs, weight } = pageData.lab.shapes;
      const terms = inputs[i].map((v, k) => [v, weight[k][j]]);
      const product = inputs.map((row) => weight[0].map((_, c) => row.reduce((s, v, k) => s + v * weight[k][c], 0)));
      return { terms, sum: terms.reduce((s, [a, b]) => s + a * b, 0), product };
    },
    draw(host, { product }, { i, j }, say) {
      const { inputs, weight } = pageData.lab.shapes;
      const table = (rows, caption, on) => `<table class="matrix"><caption>${caption}</caption>${rows.map((row, r) => `<tr>${row.map((v, c) => `<td class="${on(r, c) ? "on" : ""}">${String(v).replace("-", "−")}</td>`).join("")}</tr>`).join("")}</table>`;
      host.innerHTML = `<div class="matrices">${table(inputs, "I (5, 3)", (r) => r === i)}<span aria-hidden="true">·</span>${table(weight, "w (3, 4)", (r, c) => c === j)}<span aria-hidden="true">=</span>${table(product, "O (5, 4)", (r, c) => r === i && c === j)}</div>`;
      return null;
    },
    readings: ({ terms, sum }) => [["written", terms.map(([a, b]) => `(${a})(${b})`.replaceAll("-", "−")).join(" + ")], ["sum", String(sum).replace("-", "−")]],
    claims: ({ sum, product }, { i, j }) => [["equal", product[i][j] === sum, {}]],
  }]);

  // All 64 rows of x are alike and all 1,000 inputs are 0.025, so that one row tells all: h_j = 0.025 sum_i W1_ij,
  // and a step of rate r on W1 moves h_j by r 64 0.025^2 1000 dh_j = 40 r dh_j.
  function textNet(seed, rate, steps) {
    const h = Float64Array.from(pageData.lab.text_net[seed].h);
    const W2 = Float64Array.from(pageData.lab.text_net[seed].w2);
    const [losses, living] = [[], []];
    for (let k = 0; k <= steps; k++) {
      const y = new Float64Array(10);
      h.forEach((v, j) => { if (v > 0) for (let o = 0; o < 10; o++) y[o] += v * W2[10 * j + o]; });
      losses.push(64 * y.reduce((s, v) => s + (v - 1) ** 2, 0));
      living.push(h.filter((v) => v > 0).length);
      if (!Number.isFinite(losses[k])) break;
      const dy = y.map((v) => 2 * (v - 1));
      h.forEach((v, j) => {
        if (v <= 0) return;
        let dh = 0;
        for (let o = 0; o < 10; o++) { dh += dy[o] * W2[10 * j + o]; W2[10 * j + o] -= rate * 64 * v * dy[o]; }
        h[j] -= 40 * rate * dh;
      });
    }
    return { losses, living };
  }
  lab("two-layer-net", [{
    key: "rate",
    controls: [
      control.range("lograte", { min: -6.5, max: -2.5, step: 0.1, value: -5, show: (v) => chart.show(10 ** v, 2) }),
      control.range("start", { min: 0, max: 3, value: 0, show: (v) => String(v + 1) }),
      control.range("steps", { min: 0, max: 1000, step: 10, value: 300, play: true }),
    ],
    compute({ lograte, start, steps }) {
      const { losses, living } = textNet(start, 10 ** lograte, steps);
      const last = losses.length - 1;
      return { losses, living, loss: losses[last], alive: living[last] };
    },
    draw(host, { losses, living }, state, say) {
      const [left, right] = twoWays.panels(host);
      const x = losses.map((_, i) => i);
      chart.draw(left, {
        height: 350, alt: say("alt"), x: { title: say("axis_step"), range: [0, 1000] }, y: { title: say("axis_loss"), log: true, range: [1e-30, 1e8] },
        marks: [{ kind: "rule", y: 640, name: "64 × 10 = 640" }, { kind: "line", x, y: losses.map((l) => Math.max(l, 1e-30)), ink: "scratch", name: say("axis_loss") }],
      });
      chart.draw(right, {
        height: 350, alt: say("alt_living"), x: { title: say("axis_step"), range: [0, 1000] }, y: { title: say("axis_living"), range: [0, 100] },
        marks: [{ kind: "line", x, y: living, ink: living[living.length - 1] ? "good" : "bad", width: 2.5 }],
      });
      return null;
    },
    readings: ({ loss, alive, losses }) => [["first_loss", chart.show(losses[0], 6)], ["loss", chart.show(loss)], ["living", `${alive} / 100`]],
    claims: ({ loss, alive }) => [["arrives", loss < 1e-10, { loss: chart.show(loss, 2) }], ["dead", alive === 0, { living: String(alive) }]],
  }]);
})();
