// Logits and their loss; digits: softmax regression, a drawn digit through the layers, training, the start.
(() => {
  const LOGITS = ["z0", "z1", "z2", "z3", "z4"];
  lab("sparse-cross-entropy", [{
    key: "logits",
    controls: [
      ...LOGITS.map((name, k) => control.range(name, { min: -4, max: 8, step: 0.1, value: [2, 0.5, -1, 3, 0][k] })),
      control.range("label", { min: 0, max: 4, value: 0 }),
      control.range("shift", { min: 0, max: 1000, step: 10, value: 0 }),
    ],
    compute(state) {
      const z = LOGITS.map((name) => state[name] + state.shift);
      const [loss, delta] = network.lossAndDelta("cross_entropy", Float64Array.from(z), [state.label], 1);
      const powers = z.map(Math.exp);
      const naive = -Math.log(powers[state.label] / powers.reduce((a, b) => a + b));
      return { z, loss, naive, p: Array.from(delta, (d, k) => d + (k === state.label ? 1 : 0)), delta: Array.from(delta) };
    },
    draw(host, { p, delta }, state, say) {
      const [left, right] = twoWays.panels(host);
      const names = LOGITS.map((_, k) => `z${"₀₁₂₃₄"[k]}`);
      const scales = chart.draw(left, {
        height: 340, alt: say("alt"), x: { names, title: say("axis_logit") }, y: { title: "z", range: [-5, 9] },
        marks: [{ kind: "rule", y: 0, dash: "dot" }, { kind: "bars", x: names, y: LOGITS.map((name) => state[name]), ink: "scratch" }],
      });
      chart.draw(right, {
        height: 340, alt: say("alt_p"), x: { names, title: say("axis_p") }, y: { range: [-1, 1] },
        marks: [
          { kind: "rule", y: 0, dash: "dot" },
          { kind: "bars", x: names, y: p, ink: "good", name: "softmax" },
          { kind: "bars", x: names, y: delta, ink: "torch", hollow: true, name: say("gradient") },
        ],
      });
      return scales;
    },
    drag: ([x, y], [from]) => { const k = Math.min(4, Math.max(0, Math.floor(from * 5))); return { [LOGITS[k]]: y }; },
    readings: ({ loss, naive, p }, { label }) => [["loss", chart.show(loss, 6)], ["naive", chart.show(naive, 6)], ["p_label", chart.show(p[label], 4)]],
    claims: ({ loss, naive, delta }, { label, ...state }) => [
      ["definition_works", Math.abs(loss - naive) < 1e-9, { naive: chart.show(naive) }],
      ["right_answer", delta.every((d, k) => k === label || state[LOGITS[k]] < state[LOGITS[label]]), {}],
      ["sums_to_zero", Math.abs(delta.reduce((a, b) => a + b)) < 1e-12, {}],
    ],
  }]);

  // Descent in batches of `size`, always in the same order; `tell` hears of every step.
  function descend(model, start, { rate, steps, size, tell }) {
    const { x, labels } = twoWays.sample();
    const theta = Float64Array.from(start);
    const batches = Math.floor(labels.length / size);
    for (let k = 0; k < steps; k++) {
      const i = (k % batches) * size;
      const { gradient, loss } = network.backprop(model, theta, x.subarray(64 * i, 64 * (i + size)), labels.slice(i, i + size), size);
      if (tell) tell(k, loss, theta);
      gradient.forEach((g, j) => { theta[j] -= rate * g; });
    }
    return theta;
  }
  const accuracyOf = (model, theta, x, labels) => {
    const { logits } = network.forward(model, theta, x, labels.length);
    return labels.filter((label, i) => { const row = logits.subarray(10 * i, 10 * i + 10); return row.every((z) => z <= row[label]); }).length / labels.length;
  };
  const percent = (v) => `${(100 * v).toFixed(1)}%`;
  const square = (values) => Array.from({ length: 8 }, (_, r) => Array.from(values.slice(8 * r, 8 * r + 8)));

  function images(host, maps, titles, alt) {
    host.innerHTML = `<div class="gallery" role="img" aria-label="${chart.escaped(alt)}">${titles.map((t) => `<div class="small"><p>${chart.escaped(t)}</p><div class="cellhost"></div></div>`).join("")}</div>`;
    const size = Math.max(1e-12, ...maps.flat(2).map(Math.abs));
    host.querySelectorAll(".cellhost").forEach((cell, k) => chart.image(cell, { z: maps[k], zmin: -size, zmax: size, scale: "signed" }));
  }

  const FLAT = { sizes: [64, 10], activation: "identity", loss: "cross_entropy", round: network.exactly };
  lab("softmax-regression", [{
    key: "weights",
    heavy: true,
    controls: [
      control.range("steps", { min: 0, max: 200, step: 2, value: 40, play: true }),
      control.range("rate", { min: 0.05, max: 2, step: 0.05, value: 0.5 }),
    ],
    compute({ steps, rate }) {
      const theta = descend(FLAT, new Float64Array(650), { rate, steps, size: 100 });
      const { x, labels, test, testLabels } = twoWays.sample();
      return { theta, accuracy: accuracyOf(FLAT, theta, test, testLabels), loss: network.loss(FLAT, theta, x, labels, labels.length) };
    },
    draw(host, { theta }, state, say) {
      const maps = Array.from({ length: 10 }, (_, k) => square(Array.from({ length: 64 }, (__, p) => theta[10 * p + k])));
      images(host, maps, Array.from("0123456789"), say("alt"));
      return null;
    },
    readings: ({ accuracy, loss }) => [["loss", chart.show(loss, 5)], ["accuracy", percent(accuracy)]],
    claims: ({ accuracy, loss }) => [["ninety", accuracy >= 0.9, { accuracy: percent(accuracy) }], ["knows", loss < Math.log(10), { loss: chart.show(loss) }]],
  }]);

  lab("digits-network", [{
    key: "layers",
    controls: [
      control.pixels("digit", pageData.lab.three),
      control.range("unit", { min: 0, max: 31, value: 4, show: (v) => String(v + 1) }),
    ],
    compute({ digit, unit }) {
      const { MODEL, theta, values, probabilities } = twoWays;
      const { inputs, logits } = network.forward(MODEL, theta(), values(digit), 1);
      const W = network.layers(MODEL.sizes, theta())[0].W;
      const p = probabilities(logits);
      return { hidden: Array.from(inputs[1]), p, weights: Array.from({ length: 64 }, (_, k) => W[32 * k + unit]), best: p.indexOf(Math.max(...p)) };
    },
    draw(host, { hidden, p, weights }, { unit, digit }, say) {
      if (host.children.length !== 3) host.innerHTML = "<div></div><div></div><div></div>";
      host.classList.add("panels", "level", "wide-last");
      const [first, second, third] = host.children;
      const through = twoWays.values(digit).map((v, k) => v * weights[k]);
      images(first, [square(weights), square(Array.from(through))], [say("unit_weights"), say("times_ink")], say("alt"));
      const units = hidden.map((_, k) => String(k + 1));
      chart.draw(second, {
        height: 260, alt: say("alt_hidden"), x: { title: say("axis_unit"), range: [0, 33] }, y: { title: say("axis_activation"), range: [-1.1, 1.1] },
        marks: [
          { kind: "rule", y: 0, dash: "dot" },
          { kind: "points", x: units.map(Number), y: hidden, ink: "jax", size: 8 },
          { kind: "points", x: [unit + 1], y: [hidden[unit]], ink: "torch", shape: "diamond", size: 13 },
        ],
      });
      chart.draw(third, {
        height: 260, alt: say("alt_p"), x: { names: Array.from("0123456789"), title: say("axis_digit") }, y: { title: say("axis_p"), range: [0, 1] },
        marks: [{ kind: "bars", x: Array.from("0123456789"), y: p, ink: "scratch" }],
      });
      return null;
    },
    readings: ({ best, p, hidden }, { unit }) => [["reads", String(best)], ["sure", percent(p[best])], ["activation", chart.show(hidden[unit], 5)]],
    claims: ({ p, best }) => [["sure_enough", p[best] > 0.9, { sure: percent(p[best]) }], ["three", best === 3, { best: String(best) }]],
  }]);

  const kept = {};
  function training(rate) {
    return (kept[rate] ||= (() => {
      const { MODEL } = twoWays;
      const { test, testLabels } = twoWays.sample();
      const [losses, tests, accuracies, at] = [[], [], [], []];
      const look = (k, theta) => {
        at.push(k);
        tests.push(network.loss(MODEL, theta, test, testLabels, testLabels.length));
        accuracies.push(accuracyOf(MODEL, theta, test, testLabels));
      };
      const end = descend(MODEL, pageData.lab.start, { rate, steps: 200, size: 20, tell: (k, loss, theta) => { losses.push(loss); if (k % 10 === 0) look(k, theta); } });
      look(200, end);
      return { losses, tests, accuracies, at };
    })());
  }
  lab("live", [{
    key: "curves",
    heavy: true,
    controls: [
      control.range("lograte", { min: -2, max: 1, step: 0.1, value: -0.7, show: (v) => chart.show(10 ** v, 2) }),
      control.range("step", { min: 0, max: 200, step: 10, value: 200, play: true }),
    ],
    compute({ lograte, step }) {
      const found = training(10 ** lograte);
      const k = found.at.indexOf(step);
      return { ...found, k, loss: found.tests[k], accuracy: found.accuracies[k] };
    },
    draw(host, { losses, tests, accuracies, at, k }, { step }, say) {
      const [left, right] = twoWays.panels(host);
      chart.draw(left, {
        height: 340, alt: say("alt"), x: { title: say("axis_step"), range: [0, 200] }, y: { title: say("axis_loss"), range: [0, 4] },
        marks: [
          { kind: "rule", x: step }, { kind: "rule", y: Math.log(10), name: "ln 10", dash: "dot" },
          { kind: "line", x: losses.map((_, i) => i).slice(0, step + 1), y: losses.slice(0, step + 1), ink: "reference", name: say("batch_loss"), width: 1.3 },
          { kind: "line", x: at.slice(0, k + 1), y: tests.slice(0, k + 1), ink: "scratch", name: say("test_loss"), width: 2.5 },
        ],
      });
      chart.draw(right, {
        height: 340, alt: say("alt_accuracy"), x: { title: say("axis_step"), range: [0, 200] }, y: { title: say("axis_accuracy"), range: [0, 100] },
        marks: [{ kind: "rule", x: step }, { kind: "line", x: at.slice(0, k + 1), y: accuracies.slice(0, k + 1).map((a) => 100 * a), ink: "good", width: 2.5 }],
      });
      return null;
    },
    readings: ({ loss, accuracy }) => [["test_loss", chart.show(loss, 5)], ["accuracy", percent(accuracy)]],
    claims: ({ tests, k, accuracy }) => [["learns", tests[k] < tests[0], { loss: chart.show(tests[k]) }], ["eighty", accuracy >= 0.8, { accuracy: percent(accuracy) }]],
  }]);

  // 64-hidden-10 with the first `hidden` units of the page's start; without any it starts at zero.
  function startWith(hidden, scale) {
    const theta = new Float64Array(network.count(hidden ? [64, hidden, 10] : [64, 10]));
    if (!hidden) return theta;
    const [first, second] = network.layers(twoWays.MODEL.sizes, Float64Array.from(pageData.lab.start));
    const [W1, W2] = network.layers([64, hidden, 10], theta).map((part) => part.W);
    W1.forEach((_, k) => { W1[k] = scale * first.W[32 * Math.floor(k / hidden) + (k % hidden)]; });
    W2.forEach((_, k) => { W2[k] = scale * second.W[k]; });
    return theta;
  }

  const EPOCHS = 10;
  const curves = {};
  // Accuracy after every epoch, in batches of 20 always in the same order.
  function curveOf({ hidden, activation, optimizer, lograte, logscale, count }) {
    const sizes = hidden ? [64, hidden, 10] : [64, 10];
    const model = { sizes, activation: hidden ? activation : "identity", loss: "cross_entropy", round: network.exactly };
    return (curves[[hidden, model.activation, optimizer, lograte, logscale, count]] ||= (() => {
      const { x, labels, test, testLabels } = twoWays.sample(count);
      const theta = startWith(hidden, 10 ** logscale);
      const step = network.OPTIMIZERS[optimizer](10 ** lograte, theta.length);
      return Array.from({ length: EPOCHS }, () => {
        for (let i = 0; i < count; i += 20) {
          step(theta, network.backprop(model, theta, x.subarray(64 * i, 64 * (i + 20)), labels.slice(i, i + 20), 20).gradient);
        }
        return accuracyOf(model, theta, test, testLabels);
      });
    })());
  }

  const CHOICES = [
    control.range("hidden", { min: 0, max: 32, step: 4, value: 32 }),
    control.choice("activation", ["sigmoid", "tanh", "relu"]),
    control.choice("optimizer", ["sgd", "adam"]),
    control.range("lograte", { min: -3, max: 0.5, step: 0.1, value: -1, show: (v) => chart.show(10 ** v, 2) }),
    control.range("logscale", { min: -1, max: 1, step: 0.1, value: 0, show: (v) => `× ${chart.show(10 ** v, 2)}` }),
    control.range("count", { min: 200, max: 1440, step: 40, value: 1440, show: (v) => chart.show(v) }),
  ];
  const FIRST = Object.fromEntries(CHOICES.map(({ name, start }) => [name, start]));
  lab("ninety-five", [{
    key: "choices",
    heavy: true,
    controls: [...CHOICES, control.range("epoch", { min: 1, max: EPOCHS, value: EPOCHS, play: true })],
    compute(state) {
      const curve = curveOf(state);
      const best = Math.max(...curve);
      return { curve, first: curveOf(FIRST), flat: Math.max(...curveOf({ ...state, hidden: 0 })), best, crosses: curve.findIndex((a) => a >= 0.95) + 1 };
    },
    draw(host, { curve, first }, { epoch }, say) {
      const epochs = curve.map((_, i) => i + 1);
      const drawn = (of, n, look) => ({ kind: "line", x: epochs.slice(0, n), y: of.slice(0, n).map((a) => 100 * a), ...look });
      return chart.draw(host, {
        height: 400, alt: say("alt"), x: { title: say("axis_epoch"), range: [0.5, EPOCHS + 0.5] }, y: { title: say("axis_accuracy"), range: [0, 100] },
        marks: [
          { kind: "rule", y: 95, name: "95%", ink: "good" },
          drawn(first, EPOCHS, { ink: "reference", dash: "dot", name: say("first_choices") }),
          drawn(curve, epoch, { ink: "scratch", dots: true, size: 8, width: 2.5, name: say("these_choices") }),
        ],
      });
    },
    readings: ({ curve, best, crosses }, { epoch }) => [["accuracy", percent(curve[epoch - 1])], ["best", percent(best)], ["crosses", crosses ? String(crosses) : "–"]],
    claims: ({ curve, best, flat }) => [
      ["reaches", best >= 0.95, { best: percent(best) }],
      ["hidden_helps", best > flat, { best: percent(best), flat: percent(flat) }],
      ["still_rising", curve[EPOCHS - 1] > curve[EPOCHS - 2], {}],
    ],
  }]);

  lab("keras-start", [{
    key: "scale",
    controls: [control.range("logscale", { min: -1.5, max: 1.5, step: 0.05, value: 1, show: (v) => `× ${chart.show(10 ** v, 3)}` })],
    compute({ logscale }) {
      const model = { ...twoWays.MODEL, activation: "relu" };
      const { x, labels } = twoWays.sample();
      const [some, n] = [x.subarray(0, 64 * 100), 100];
      const at = (e) => network.loss(model, Float64Array.from(pageData.lab.start, (w) => w * 10 ** e), some, labels.slice(0, 100), n);
      const es = Array.from({ length: 31 }, (_, i) => -1.5 + i / 10);
      return { es, losses: (this.losses ||= es.map(at)), loss: at(logscale) };
    },
    draw(host, { es, losses, loss }, { logscale }, say) {
      return chart.draw(host, {
        height: 360, alt: say("alt"), x: { title: say("axis_scale"), log: true, range: [0.03, 35] }, y: { title: say("axis_loss"), log: true, range: [1, 3000] },
        marks: [
          { kind: "rule", y: Math.log(10), name: "ln 10" },
          { kind: "line", x: es.map((e) => 10 ** e), y: losses, ink: "scratch", name: say("axis_loss") },
          { kind: "points", x: [10 ** logscale], y: [loss], ink: "torch", shape: "diamond", size: 13 },
        ],
      });
    },
    drag: ([x]) => ({ logscale: Math.log10(x) }),
    readings: ({ loss }) => [["loss", chart.show(loss, 5)], ["ratio", chart.show(loss / Math.log(10), 3)]],
    claims: ({ loss }) => [["knows_nothing", Math.abs(loss - Math.log(10)) < 0.5, { loss: chart.show(loss) }]],
  }]);
})();
