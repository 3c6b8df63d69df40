// A gradient, two ways: the quotient of a secant and the slope of the tangent; for one number, for one weight
// of a network, for all of them; and what a check sees when the analytic way is wrong.
const twoWays = (() => {
  const DIGITS = { float64: 17, float32: 9 };
  const ROUND = { float64: network.exactly, float32: Math.fround };
  const EXPONENTS = { float64: [-16, 0], float32: [-8, 0] };

  // The loss of one neuron with one weight: its output tanh(t) should be 1/2.
  const curve = (round) => (t) => { const d = round(round(Math.tanh(t)) - 0.5); return round(d * d); };
  const slope = (t) => 2 * (Math.tanh(t) - 0.5) * (1 - Math.tanh(t) ** 2);
  const complexCurve = (z) => { const d = network.complex.sub(network.complex.tanh(z), [0.5, 0]); return network.complex.mul(d, d); };

  function quotient(theta, h, scheme, dtype) {
    if (scheme === "complex") return complexCurve([theta, h])[1] / h;
    const round = ROUND[dtype];
    return network.quotient(scheme, curve(round), round(theta), h, round);
  }

  const error = (found, exact) => Math.abs(found - exact) / Math.abs(exact);

  // Relative errors for h = 1 down to `logh`: what has been dragged over.
  function arm(theta, logh, scheme, dtype) {
    const found = { h: [], error: [] };
    const exact = slope(dtype === "float32" ? Math.fround(theta) : theta);
    for (let e = 0; e >= Math.max(logh, -16) - 1e-9; e -= 0.1) {
      const h = 10 ** e;
      found.h.push(h);
      found.error.push(Math.max(error(quotient(theta, h, scheme, dtype), exact), 1e-17));
    }
    return found;
  }

  // How many of the leading digits are right.
  function rightDigits(found, exact, most) {
    const e = error(found, exact);
    if (!Number.isFinite(e)) return 0;
    return e === 0 ? most : Math.max(0, Math.min(most, Math.floor(-Math.log10(e))));
  }

  // The quotient's digits: right ones plain, lost ones grey.
  function digits(found, exact, most) {
    if (!Number.isFinite(found)) return `<span class="lost">${found}</span>`;
    const right = rightDigits(found, exact, most);
    const size = Math.abs(found);
    const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? found.toExponential(most - 1) : found.toPrecision(most);
    let seen = 0;
    let started = false;
    const parts = [[], []];
    const [mantissa, tail] = text.replace("-", "−").split("e");
    for (const c of mantissa) {
      if (/[1-9]/.test(c)) started = true;
      const isDigit = /[0-9]/.test(c) && started;
      parts[isDigit && seen >= right ? 1 : seen > right ? 1 : 0].push(c);
      if (isDigit) seen += 1;
    }
    const power = tail ? `×${chart.power(Number(tail))}` : "";
    return `<span class="digits"><span class="right">${parts[0].join("")}</span><span class="lost">${parts[1].join("")}</span>${power}</span>`;
  }

  function panels(host, kind = "") {
    if (host.children.length !== 2) host.innerHTML = `<div></div><div></div>`;
    host.classList.add("panels");
    if (kind) host.classList.add(kind); // "level": side by side from the top
    return host.children;
  }

  // Curve, secant and tangent around theta.
  function secantPicture(host, { f, exact, found, theta, h, scheme, range, height = 380 }, say) {
    const [low, high] = range;
    const x = Array.from({ length: 141 }, (_, i) => low + ((high - low) * i) / 140);
    const y = x.map(f);
    const left = scheme === "central" ? theta - h : theta;
    const ends = [left, theta + h];
    const at = f(theta);
    const line = (m, px, py) => x.map((v) => py + m * (v - px));
    const secant = scheme === "complex" ? [] : [
      { kind: "line", x, y: line(found, ends[0], f(ends[0])), ink: "torch", name: say("secant_line"), ghost: true },
      { kind: "points", x: ends, y: ends.map(f), ink: "torch", shape: "diamond", size: 10 },
    ];
    const [top, bottom] = [Math.max(...y), Math.min(...y)];
    const room = 0.12 * (top - bottom || Math.abs(top) || 1);
    return chart.draw(host, {
      height, alt: say("alt"), x: { title: say("axis_theta"), range }, y: { title: say("axis_loss"), range: [bottom - room, top + room] },
      marks: [
        { kind: "line", x, y, ink: "ink", name: say("curve"), width: 2.5 },
        { kind: "line", x, y: line(exact, theta, at), ink: "scratch", dash: "dash", name: say("tangent"), ghost: true },
        ...secant,
        { kind: "points", x: [theta], y: [at], ink: "scratch", size: 13 },
      ],
    });
  }

  function vPicture(host, { arms, h, now, floor = 1e-17 }, say) {
    const INKS = { float64: "scratch", float32: "torch", complex: "jax" };
    const DASH = { forward: "dash", central: "", complex: "dot" };
    const marks = arms.map(({ scheme, dtype, points }) => ({
      kind: "line", x: points.h, y: points.error, ink: scheme === "complex" ? "jax" : INKS[dtype], dash: DASH[scheme],
      name: scheme === "complex" ? say("scheme_complex") : `${say(`scheme_${scheme}`)}, ${dtype}`,
    }));
    if (now > 0) marks.push({ kind: "points", x: [h], y: [Math.max(now, floor)], ink: "ink", size: 11 });
    return chart.draw(host, {
      height: 380, alt: say("alt_v"), marks, x: { title: say("axis_h"), log: true, range: [10 ** -16.3, 2] },
      y: { title: say("axis_error"), log: true, range: [10 ** -17.2, 30] },
    });
  }

  const shownH = (value) => chart.show(10 ** value, 2);

  const first = {
    key: "secant",
    controls: [
      control.range("theta", { min: -2, max: 2.4, step: 0.02, value: -0.6, show: (v) => chart.show(v) }),
      control.range("logh", { min: -16, max: 0, step: 0.1, value: -0.2, show: shownH }),
      control.choice("scheme", ["central", "forward", "complex"]),
      control.choice("dtype", ["float64", "float32"]),
    ],
    compute({ theta, logh, scheme, dtype }) {
      const h = 10 ** logh;
      const single = dtype === "float32" && scheme !== "complex"; // the complex step is shown in float64
      const most = DIGITS[single ? "float32" : "float64"];
      const t = single ? Math.fround(theta) : theta;
      const exact = slope(t);
      const found = quotient(theta, h, scheme, dtype);
      const others = { central: "forward", forward: "central", complex: "central" };
      const smaller = quotient(theta, h / 10, scheme, dtype);
      const kinds = scheme === "complex" ? [["forward", "float64"], ["central", "float64"], ["complex", "float64"]]
        : [["forward", "float32"], ["central", "float32"], ["forward", "float64"], ["central", "float64"]];
      return {
        h, t, exact, found, most, error: error(found, exact), right: rightDigits(found, exact, most - 1),
        smaller: error(smaller, exact), other: error(quotient(theta, h, others[scheme], dtype), exact),
        arms: kinds.map(([s, d]) => ({ scheme: s, dtype: d, points: arm(theta, logh, s, d) })),
      };
    },
    draw(host, found, state, say) {
      const [left, right] = panels(host);
      const scales = secantPicture(left, { ...found, f: curve(network.exactly), theta: found.t, scheme: state.scheme, range: [-2.6, 3] }, say);
      vPicture(right, { ...found, now: found.error }, say);
      return scales;
    },
    drag: ([x], [from], begun) => {
      const h = 10 ** begun.logh;
      const grabbed = Math.abs(from - begun.theta);
      // Far from the point and near one of the ends of the secant: it is h that is dragged.
      if (h > 0.12 && Math.abs(grabbed - h) < grabbed / 2) return { logh: Math.log10(Math.max(1e-3, Math.abs(x - begun.theta))) };
      return { theta: x };
    },
    readings: ({ found, exact, error: e, right, most }) => [
      ["quotient", digits(found, exact, most), true],
      ["derivative", exact.toPrecision(16).replace("-", "−")],
      ["relative_error", chart.show(e, 2)],
      ["right_digits", String(right)],
    ],
    claims: ({ error: e, smaller, other, right }, { scheme }) => [
      ["smaller_is_better", smaller < e, { now: chart.show(e, 2), then: chart.show(smaller, 2) }],
      ...(scheme === "complex" ? [["complex_exact", e < 1e-14, { now: chart.show(e, 2) }]]
        : [["central_is_better", scheme === "central" ? e < other : other < e, { central: chart.show(scheme === "central" ? e : other, 2), forward: chart.show(scheme === "central" ? other : e, 2) }]]),
    ],
  };

  // --- a network that reads digits

  const MODEL = { sizes: [64, 32, 10], activation: "tanh", loss: "cross_entropy", round: network.exactly };
  const values = (cells) => Float64Array.from(cells, (c) => (c.charCodeAt(0) - 97) / 16);
  let weights = null;
  const theta = () => (weights ||= Float64Array.from(pageData.lab.weights));

  function nameOf(index) {
    let at = 0;
    for (let l = 1; l < MODEL.sizes.length; l++) {
      const [fanIn, fanOut] = [MODEL.sizes[l - 1], MODEL.sizes[l]];
      if (index < at + fanIn * fanOut) return `W${l}[${Math.floor((index - at) / fanOut)}, ${(index - at) % fanOut}]`;
      at += fanIn * fanOut;
      if (index < at + fanOut) return `b${l}[${index - at}]`;
      at += fanOut;
    }
    return "";
  }

  function probabilities(logits) {
    const largest = Math.max(...logits);
    const powers = Array.from(logits, (z) => Math.exp(z - largest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((p) => p / sum);
  }

  const THREE = pageData.lab.three;
  const weight = {
    key: "weight",
    controls: [
      control.pixels("digit", THREE),
      control.range("label", { min: 0, max: 9, value: 8, show: String }),
      control.range("index", { min: 0, max: 2409, value: 1157, show: (v) => nameOf(v) }),
      control.range("logh2", { min: -12, max: 0.5, step: 0.1, value: 0.2, show: shownH }),
    ],
    compute({ digit, label, index, logh2 }) {
      const x = values(digit);
      const moved = Float64Array.from(theta());
      const f = (value) => { moved[index] = value; return network.loss(MODEL, moved, x, [label], 1); };
      const t = theta()[index];
      const h = 10 ** logh2;
      const exact = network.backprop(MODEL, theta(), x, [label], 1).gradient[index];
      const found = network.quotient("central", f, t, h);
      return { f, t, h, exact, found, error: exact === 0 ? Math.abs(found) : error(found, exact), p: probabilities(network.forward(MODEL, theta(), x, 1).logits) };
    },
    draw(host, found, state, say) {
      const [left, right] = panels(host);
      const reach = Math.max(1.2, 1.25 * found.h);
      secantPicture(left, { ...found, theta: found.t, scheme: "central", range: [found.t - reach, found.t + reach] }, say);
      chart.draw(right, {
        height: 380, alt: say("alt_p"), x: { names: Array.from("0123456789"), title: say("axis_digit") }, y: { range: [0, 1], title: say("axis_p") },
        marks: [{ kind: "bars", x: Array.from("0123456789"), y: found.p, ink: "scratch" }],
      });
      return null;
    },
    readings: ({ found, exact, error: e, p, f, t }) => [
      ["reads", `${p.indexOf(Math.max(...p))} (${(100 * Math.max(...p)).toFixed(1)}%)`],
      ["loss", chart.show(f(t))],
      ["quotient", exact === 0 ? chart.show(found) : digits(found, exact, 17), true],
      ["derivative_backprop", exact.toPrecision(10).replace("-", "−")],
      ["relative_error", chart.show(e, 2)],
    ],
    claims: ({ error: e, exact }) => [["agree", exact === 0 || e < 1e-6, { now: chart.show(e, 2) }]],
  };

  // --- all weights

  let kept = { key: "", found: null };
  function gradients(digit, label) {
    const key = digit + label;
    if (kept.key !== key) {
      const x = values(digit);
      const analytic = network.backprop(MODEL, theta(), x, [label], 1).gradient;
      const { gradient, passes } = network.numerical(MODEL, theta(), x, [label], 1, { scheme: "central", h: 1e-5 });
      kept = { key, found: { analytic, gradient, passes } };
    }
    return kept.found;
  }

  // W1's gradient as 32 images of 8 x 8, one a hidden unit; entries that are not known yet are empty.
  function maps(gradient, known) {
    const rows = Array.from({ length: 35 }, () => Array(71).fill(null));
    for (let unit = 0; unit < 32; unit++) {
      for (let pixel = 0; pixel < 64; pixel++) {
        const index = pixel * 32 + unit;
        const [r, c] = [9 * (unit >> 3) + (pixel >> 3), 9 * (unit & 7) + (pixel & 7)];
        rows[r][c] = index < known ? gradient[index] : 0;
      }
    }
    return rows;
  }

  const every = {
    key: "all",
    heavy: true,
    uses: ["digit", "label", "known"],
    controls: [control.range("known", { min: 0, max: 2410, step: 10, value: 640, show: (v) => chart.show(v), play: true })],
    compute({ digit, label, known }) {
      const { analytic, gradient, passes } = gradients(digit, label);
      const size = analytic.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      let gap = 0;
      for (let i = 0; i < known; i++) gap = Math.max(gap, Math.abs(analytic[i] - gradient[i]));
      return { analytic, gradient, size, gap: size ? gap / size : gap, passes: 2 * known, all: passes };
    },
    draw(host, { analytic, gradient, size }, { known }, say) {
      const [left, right] = panels(host);
      const draw = (box, g, n, title) => {
        box.innerHTML = `<p class="panel-title">${title}</p><div></div>`;
        chart.draw(box.lastChild, { height: 300, square: 71 / 35, alt: title, marks: [{ kind: "heat", z: maps(g, n), low: -size, high: size, blank: true }] });
      };
      draw(left, gradient, known, say("by_differences"));
      draw(right, analytic, 2410, say("by_backprop"));
      return null;
    },
    readings: ({ passes, all }, { known }) => [
      ["weights_known", `${chart.show(known)} / 2,410`],
      ["passes", chart.show(passes, 7)],
      ["passes_backprop", "2"],
      ["passes_mnist", chart.show(2 * 101770, 7)],
    ],
    claims: ({ gap }) => [["same_gradient", gap < 1e-7, { gap: chart.show(gap, 2) }]],
  };

  // --- what if backprop is wrong?

  const EPOCHS = 8;
  const TENSORS = ["W1", "b1", "W2", "b2"];
  const trained = {};

  // The first digits, and those that nothing here is trained on.
  let all = null;
  function sample(n = pageData.lab.train) {
    const { images, labels, test } = pageData.lab;
    const x = (all ||= values(images));
    return { x: x.subarray(0, 64 * n), labels: labels.slice(0, n), test: x.subarray(64 * test), testLabels: labels.slice(test) };
  }

  function accuracy(at, x, labels) {
    const { logits } = network.forward(MODEL, at, x, labels.length);
    let right = 0;
    labels.forEach((label, i) => {
      let best = 0;
      for (let j = 1; j < 10; j++) if (logits[10 * i + j] > logits[10 * i + best]) best = j;
      right += best === label;
    });
    return right / labels.length;
  }

  // SGD in batches of 20, always in the same order, from the start that Python drew: accuracy after every epoch.
  function train(mistake) {
    if (trained[mistake]) return trained[mistake];
    const { x, labels, test, testLabels } = sample();
    const at = Float64Array.from(pageData.lab.start);
    const curve = [accuracy(at, test, testLabels)];
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      for (let i = 0; i < labels.length; i += 20) {
        const { gradient } = network.backprop(MODEL, at, x.subarray(64 * i, 64 * (i + 20)), labels.slice(i, i + 20), 20, mistake);
        const rate = mistake === "CrossEntropyNotDividedByBatch" ? 0.2 / 20 : 0.2;
        gradient.forEach((g, k) => { at[k] -= rate * g; });
      }
      curve.push(accuracy(at, test, testLabels));
    }
    trained[mistake] = curve;
    return curve;
  }

  // The largest gap between backprop and central differences, tensor by tensor, relative to its largest entry.
  const checked = {};
  function check(mistake) {
    if (checked[mistake]) return checked[mistake];
    const { x, labels } = sample();
    const [some, n] = [x.subarray(0, 64 * 4), 4];
    const wrong = network.backprop(MODEL, theta(), some, labels.slice(0, 4), n, mistake).gradient;
    const right = (checked.differences ||= network.numerical(MODEL, theta(), some, labels.slice(0, 4), n, { h: 1e-5 }).gradient);
    const [w, r] = [network.layers(MODEL.sizes, wrong), network.layers(MODEL.sizes, right)];
    checked[mistake] = w.flatMap((part, l) => ["W", "b"].map((kind) => {
      const size = r[l][kind].reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      const gap = part[kind].reduce((most, v, i) => Math.max(most, Math.abs(v - r[l][kind][i])), 0);
      return gap / size;
    }));
    return checked[mistake];
  }

  const LIMIT = 1e-6;
  const wrong = {
    key: "wrong",
    heavy: true,
    controls: [
      control.choice("mistake", ["none", ...Object.keys(network.MISTAKES)], "RoundedConstant"),
      control.range("epoch", { min: 0, max: EPOCHS, value: EPOCHS, show: String, play: true }),
    ],
    compute({ mistake, epoch }) {
      const name = mistake === "none" ? "" : mistake;
      const gaps = check(name);
      return { right: train(""), curve: train(name), gaps, worst: Math.max(...gaps), accuracy: train(name)[epoch] };
    },
    draw(host, { right, curve, gaps }, { epoch }, say) {
      const [left, other] = panels(host);
      const epochs = right.map((_, i) => i);
      chart.draw(left, {
        height: 340, alt: say("alt_accuracy"), x: { title: say("axis_epoch"), range: [0, EPOCHS] }, y: { title: say("axis_accuracy"), range: [0, 100] },
        marks: [
          { kind: "line", x: epochs.slice(0, epoch + 1), y: curve.slice(0, epoch + 1).map((a) => 100 * a), ink: "bad", name: say("this_backprop"), dots: true, size: 7 },
          { kind: "line", x: epochs, y: right.map((a) => 100 * a), ink: "scratch", name: say("right_backprop"), dash: "dash" },
        ],
      });
      chart.draw(other, {
        height: 340, alt: say("alt_check"), x: { names: TENSORS, title: say("axis_tensor") }, y: { title: say("axis_gap"), log: true, range: [1e-12, 100] },
        marks: [
          { kind: "rule", y: LIMIT, name: say("limit") },
          { kind: "bars", x: TENSORS, y: gaps, ink: Math.max(...gaps) > LIMIT ? "bad" : "good" },
        ],
      });
      return null;
    },
    readings: ({ accuracy: a, gaps, worst }) => [
      ["accuracy", `${(100 * a).toFixed(1)}%`],
      ["worst_gap", `${chart.show(worst, 2)} (${TENSORS[gaps.indexOf(worst)]})`],
    ],
    claims: ({ accuracy: a, worst }) => [
      ["still_learns", a >= 0.9, { accuracy: `${(100 * a).toFixed(1)}%` }],
      ["check_silent", worst <= LIMIT, { gap: chart.show(worst, 2) }],
    ],
  };

  lab("two-ways", [first, weight, every, wrong]);
  return { MODEL, values, theta, train, check, accuracy, sample, slope, quotient, probabilities, panels, nameOf, digits, secantPicture };
})();
