// Forward, backward, update: the text's own lines, carried out one at a time.
(() => {
  // [what it is part of, the line, the row of the ledger it writes, its column]
  const LINES = [
    ["forward", "h = x.dot(w1)", "h", "value"],
    ["forward", "h_relu = np.maximum(h, 0)", "h_relu", "value"],
    ["forward", "y_pred = h_relu.dot(w2)", "y_pred", "value"],
    ["forward", "loss = np.square(y_pred - y).sum()", "loss", "value"],
    ["backward", "grad_y_pred = 2.0 * (y_pred - y)", "y_pred", "gradient"],
    ["backward", "grad_w2 = h_relu.T.dot(grad_y_pred)", "w2", "gradient"],
    ["backward", "grad_h_relu = grad_y_pred.dot(w2.T)", "h_relu", "gradient"],
    ["backward", "", "h", "gradient"],
    ["backward", "grad_w1 = x.T.dot(grad_h)", "w1", "gradient"],
    ["update", "w1 -= rate * grad_w1", "w1", "value"],
    ["update", "w2 -= rate * grad_w2", "w2", "value"],
  ];
  const MASKS = {
    masked: ["grad_h = grad_h_relu * (h > 0)", (h) => (h > 0 ? 1 : 0)],
    at_zero: ["grad_h = grad_h_relu.copy(); grad_h[h < 0] = 0", (h) => (h < 0 ? 0 : 1)],
    copied: ["grad_h = grad_h_relu.copy()", () => 1],
  };
  const ROWS = ["x", "w1", "h", "h_relu", "w2", "y_pred", "loss"];
  const ROUNDS = 6;
  const Y = 2; // the target
  const W2 = [0.9, -0.7];

  // The board at the start, or with `count` lines carried out: {values, gradients}, one list a row.
  function board({ x, u, v, rate, mask }, count) {
    const values = { x: [x], w1: [u, v], w2: [...W2] };
    const gradients = {};
    const slope = MASKS[mask][1];
    const out = (h) => h.reduce((s, a, j) => s + Math.max(a, 0) * values.w2[j], 0);
    const run = [
      () => { values.h = values.w1.map((w) => x * w); },
      () => { values.h_relu = values.h.map((h) => Math.max(h, 0)); },
      () => { values.y_pred = [out(values.h)]; },
      () => { values.loss = [(values.y_pred[0] - Y) ** 2]; },
      () => { gradients.y_pred = [2 * (values.y_pred[0] - Y)]; },
      () => { gradients.w2 = values.h_relu.map((a) => a * gradients.y_pred[0]); },
      () => { gradients.h_relu = values.w2.map((w) => w * gradients.y_pred[0]); },
      () => { gradients.h = gradients.h_relu.map((g, j) => g * slope(values.h[j])); },
      () => { gradients.w1 = gradients.h.map((g) => g * x); },
      () => { values.w1 = values.w1.map((w, j) => w - rate * gradients.w1[j]); },
      () => { values.w2 = values.w2.map((w, j) => w - rate * gradients.w2[j]); },
    ];
    for (let k = 0; k < count; k++) run[k % LINES.length]();
    return { values, gradients };
  }

  const lossAt = (x, w1, w2) => (w1.reduce((s, w, j) => s + Math.max(x * w, 0) * w2[j], 0) - Y) ** 2;

  // The largest gap between grad_w1 of this round and central differences.
  function gapOf(state, round) {
    const { values: { w1, w2 } } = board(state, round * LINES.length);
    const { gradients } = board(state, round * LINES.length + 9);
    const h = 1e-6;
    return Math.max(...w1.map((_, j) => {
      const at = (d) => lossAt(state.x, w1.map((w, k) => (k === j ? w + d : w)), w2);
      return Math.abs((at(h) - at(-h)) / (2 * h) - gradients.w1[j]);
    }));
  }

  const round = (done) => Math.max(0, Math.floor((done - 1) / LINES.length));

  lab("three-steps", [{
    key: "lines",
    controls: [
      control.range("done", {
        min: 0, max: ROUNDS * LINES.length, value: 19, play: true,
        show: (k, _, say) => (k ? `${k} (${say(LINES[(k - 1) % LINES.length][0])} ${round(k) + 1})` : "0"),
      }),
      control.range("x", { min: -2, max: 2, step: 0.1, value: 1.5 }),
      control.range("u", { min: -2, max: 2, step: 0.1, value: 0.8 }),
      control.range("v", { min: -2, max: 2, step: 0.1, value: -0.4 }),
      control.range("rate", { min: 0.02, max: 0.6, step: 0.02, value: 0.1 }),
      control.choice("mask", Object.keys(MASKS)),
    ],
    compute(state) {
      const { values, gradients } = board(state, state.done);
      const r = round(state.done);
      return {
        values, gradients, line: state.done ? (state.done - 1) % LINES.length : -1,
        loss: values.loss?.[0], first: board(state, 4).values.loss[0], gap: gapOf(state, r),
        grad_w1: board(state, r * LINES.length + 9).gradients.w1, kink: board(state, r * LINES.length + 1).values.h.includes(0),
      };
    },
    draw(host, { values, gradients, line }, { mask }, say) {
      const [left, right] = twoWays.panels(host, "level");
      const text = (i) => LINES[i][1] || MASKS[mask][0];
      const part = (name) => LINES.map((l, i) => (l[0] === name ? `<li${i === line ? ' class="on" aria-current="step"' : ""}><code>${chart.escaped(text(i))}</code></li>` : "")).join("");
      left.innerHTML = ["forward", "backward", "update"].map((name) => `<p class="panel-title">${say.html(name)}</p><ol class="lines">${part(name)}</ol>`).join("");
      const [, , row, column] = LINES[line] || [];
      const cell = (name, kind, known) => `<td class="${name === row && kind === column ? "on" : ""}">${known ? known.map((n) => chart.show(n, 4)).join(", ") : "–"}</td>`;
      right.innerHTML = `<table class="ledger"><caption>${say.html("ledger")}</caption><thead><tr><td></td><th scope="col">${say.html("value")}</th><th scope="col">${say.html("gradient")}</th></tr></thead><tbody>${ROWS.map((name) => `<tr><th scope="row"><code>${name}</code></th>${cell(name, "value", values[name])}${name === "x" || name === "loss" ? "<td></td>" : cell(name, "gradient", gradients[name])}</tr>`).join("")}</tbody></table>`;
      return null;
    },
    readings: ({ loss, first, grad_w1 }) => [
      ["first_loss", chart.show(first, 6)], ["loss", loss === undefined ? "–" : chart.show(loss, 6)],
      ["grad_w1", grad_w1.map((g) => chart.show(g, 5)).join(", ")],
    ],
    claims: ({ line, loss, first, gap, kink }) => [
      ["changed", line > 8, {}],
      ["slope", gap < 1e-6, { gap: chart.show(gap, 2) }],
      ["smooth", !kink, {}],
      ["lower", loss < first, { first: chart.show(first), loss: loss === undefined ? "–" : chart.show(loss) }],
    ],
  }]);
})();
