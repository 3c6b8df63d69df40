// One neuron; activations and their slopes; the perceptron that decides whether to go out.
(() => {
  const f = (name) => network.ACTIVATIONS[name][0];
  const slopeOf = (name) => network.ACTIVATIONS[name][1];
  const grid = (low, high, n = 161) => Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));

  lab("neuron", [{
    key: "sum",
    controls: [
      control.range("x1", { min: -3, max: 3, step: 0.1, value: 1.5 }),
      control.range("x2", { min: -3, max: 3, step: 0.1, value: -2 }),
      control.range("w1", { min: -2, max: 2, step: 0.05, value: 0.8 }),
      control.range("w2", { min: -2, max: 2, step: 0.05, value: 0.25 }),
      control.range("b", { min: -2, max: 2, step: 0.05, value: 0.1 }),
      control.choice("place", ["applied", "added"]),
    ],
    compute({ x1, x2, w1, w2, b, place }) {
      const rest = x2 * w2 + b;
      const out = (z) => (place === "applied" ? network.sigmoid(z) : z + network.sigmoid(z));
      const z = x1 * w1 + rest;
      return { z, y: out(z), out, line: (x) => x * w1 + rest };
    },
    draw(host, { y, out, line }, { x1 }, say) {
      const x = grid(-4, 4);
      return chart.draw(host, {
        height: 360, alt: say("alt"), x: { title: "x₁", range: [-4, 4] }, y: { title: say("axis_y"), range: [-2.5, 3] },
        marks: [
          { kind: "rule", y: 0, dash: "dot" }, { kind: "rule", y: 1, dash: "dot" },
          { kind: "line", x, y: x.map(line), ink: "reference", dash: "dash", name: "z" },
          { kind: "line", x, y: x.map((v) => out(line(v))), ink: "scratch", name: say("output"), width: 2.5 },
          { kind: "points", x: [x1], y: [y], ink: "scratch", size: 13 },
        ],
      });
    },
    drag: ([x]) => ({ x1: x }),
    readings: ({ z, y }, { x1, x2, w1, w2, b }) => [
      ["by_hand", `${chart.show(x1 * w1)} + ${chart.show(x2 * w2)} + ${chart.show(b)}`.replaceAll("+ −", "− ")],
      ["z", chart.show(z, 6)], ["y", chart.show(y, 6)],
    ],
    claims: ({ y, out }, { w1 }) => [
      ["probability", y > 0 && y < 1, { y: chart.show(y) }],
      ["bounded", grid(-50, 50).every((z) => out(z) >= 0 && out(z) <= 1), {}],
    ],
  }]);

  lab("activations", [{
    key: "slopes",
    controls: [
      control.choice("kind", ["sigmoid", "tanh", "relu", "step"]),
      control.range("z", { min: -4, max: 4, step: 0.05, value: 1 }),
      control.range("logh", { min: -6, max: 0.3, step: 0.1, value: 0, show: (v) => chart.show(10 ** v, 2) }),
    ],
    compute({ kind, z, logh }) {
      const h = 10 ** logh;
      const [value, slope] = [f(kind)(z), slopeOf(kind)(z)];
      const quotient = (f(kind)(z + h) - f(kind)(z - h)) / (2 * h);
      return { h, value, slope, quotient };
    },
    draw(host, { h, value, slope, quotient }, { kind, z }, say) {
      const [left, right] = twoWays.panels(host);
      const x = grid(-4, 4);
      const tangent = [z - 1.2, z + 1.2];
      const scales = chart.draw(left, {
        height: 340, alt: say("alt"), x: { title: "z", range: [-4, 4] }, y: { title: "f(z)", range: [-1.3, 2.3] },
        marks: [
          { kind: "line", x, y: x.map(f(kind)), ink: "ink", name: "f", width: 2.5 },
          { kind: "line", x: tangent, y: tangent.map((v) => value + slope * (v - z)), ink: "scratch", dash: "dash", name: say("tangent") },
          { kind: "line", x: [z - h, z + h], y: [f(kind)(z - h), f(kind)(z + h)], ink: "torch", name: say("secant_line") },
          { kind: "points", x: [z], y: [value], ink: "scratch", size: 12 },
        ],
      });
      chart.draw(right, {
        height: 340, alt: say("alt_slope"), x: { title: "z", range: [-4, 4] }, y: { title: "f′(z)", range: [-0.1, 1.15] },
        marks: [
          { kind: "line", x, y: x.map(slopeOf(kind)), ink: "scratch", name: "f′" },
          { kind: "points", x: [z], y: [slope], ink: "scratch", size: 12 },
          { kind: "points", x: [z], y: [quotient], ink: "torch", shape: "diamond", size: 10, name: say("quotient") },
        ],
      });
      return scales;
    },
    drag: ([x]) => ({ z: x }),
    readings: ({ value, slope, quotient }) => [["value", chart.show(value, 6)], ["slope", chart.show(slope, 6)], ["quotient", chart.show(quotient, 6)]],
    claims: ({ slope, quotient }) => [
      ["has_slope", Math.abs(slope) > 1e-3, { slope: chart.show(slope) }],
      ["agree", Math.abs(slope - quotient) <= 1e-6, { gap: chart.show(Math.abs(slope - quotient), 2) }],
    ],
  }]);

  const ROWS = Array.from({ length: 8 }, (_, i) => [i >> 2, (i >> 1) & 1, i & 1]);
  lab("perceptron", [{
    key: "decide",
    controls: [
      control.range("weather", { min: -10, max: 10, value: 6 }),
      control.range("companion", { min: -10, max: 10, value: 2 }),
      control.range("nearby", { min: -10, max: 10, value: 2 }),
      control.range("bias", { min: -15, max: 10, value: -5 }),
    ],
    compute({ weather, companion, nearby, bias }) {
      const sums = ROWS.map(([a, b, c]) => a * weather + b * companion + c * nearby + bias);
      return { sums, fires: sums.map((s) => s > 0) };
    },
    draw(host, { sums }, state, say) {
      const names = ROWS.map((row) => row.join(""));
      const side = (on) => sums.map((s) => ((s > 0) === on ? s : 0));
      return chart.draw(host, {
        height: 340, alt: say("alt"), x: { names, title: say("axis_row") }, y: { title: say("axis_sum"), range: [-17, 21] },
        marks: [
          { kind: "rule", y: 0, dash: "dot" },
          { kind: "bars", x: names, y: side(true), ink: "good", name: say("go_out") },
          { kind: "bars", x: names, y: side(false), ink: "bad", hollow: true, name: say("stay") },
        ],
      });
    },
    readings: ({ fires, sums }) => [["fires", `${fires.filter(Boolean).length} / 8`], ["sum_110", chart.show(sums[6])], ["answers", fires.map(Number).join("")]],
    claims: ({ fires }) => [
      ["any_yes", fires.every((on, i) => on === (i > 0)), {}],
      ["weather_alone", fires.every((on, i) => on === Boolean(ROWS[i][0])), {}],
      ["weather_or_both", fires.every((on, i) => on === Boolean(ROWS[i][0] || (ROWS[i][1] && ROWS[i][2]))), {}],
    ],
  }]);
})();
