// Descent on a parabola; a line fitted by differences; a line between two classes.
(() => {
  const CURVATURE = 4;
  const LOWEST = 1.2;
  const loss = (w) => (CURVATURE / 2) * (w - LOWEST) ** 2;

  lab("descent", [{
    key: "trail",
    controls: [
      control.range("rate", { min: 0.01, max: 0.6, step: 0.01, value: 0.12, show: (v) => `${chart.show(v)} (${((v * CURVATURE) / 2).toFixed(2)} · 2/λ)` }),
      control.range("start", { min: -2.4, max: 4.8, step: 0.1, value: -1.4 }),
      control.range("steps", { min: 0, max: 30, value: 8, play: true }),
    ],
    compute({ rate, start, steps }) {
      const trail = [start];
      for (let k = 0; k < 30; k++) { const w = trail[k]; trail.push(w - rate * CURVATURE * (w - LOWEST)); }
      return { trail, losses: trail.map(loss), w: trail[steps], loss: loss(trail[steps]) };
    },
    draw(host, { trail, losses }, { steps }, say) {
      const [left, right] = twoWays.panels(host);
      const x = Array.from({ length: 121 }, (_, i) => -2.8 + (8 * i) / 120);
      const scales = chart.draw(left, {
        height: 360, alt: say("alt"), x: { title: "w", range: [-2.8, 5.2] }, y: { title: "L(w)", range: [-1, 34] },
        marks: [
          { kind: "line", x, y: x.map(loss), ink: "reference", name: "L(w)" },
          { kind: "line", x: trail.slice(0, steps + 1), y: losses.slice(0, steps + 1), ink: "scratch", dots: true, size: 8, name: say("trail") },
          { kind: "text", x: trail.slice(0, Math.min(3, steps + 1)), y: losses, text: ["A", "B", "C"] },
        ],
      });
      chart.draw(right, {
        height: 360, alt: say("alt_losses"), x: { title: say("axis_step"), range: [0, 30] }, y: { title: "L", log: true, range: [1e-20, 1e8] },
        marks: [{ kind: "line", x: losses.slice(0, steps + 1).map((_, i) => i), y: losses.slice(0, steps + 1).map((v) => Math.max(v, 1e-20)), ink: "scratch", dots: true, size: 6 }],
      });
      return scales;
    },
    drag: ([x]) => ({ start: x }),
    readings: ({ w, loss: l }) => [["w", chart.show(w, 6)], ["loss", chart.show(l)], ["limit", chart.show(2 / CURVATURE)]],
    claims: ({ losses }, { rate }) => [
      ["falls", losses.every((l, k) => k === 0 || l < losses[k - 1] || l === 0), {}],
      ["arrives", losses[30] < 1e-6, { loss: chart.show(losses[30], 2) }],
    ],
  }]);

  const meanSquare = ([W, b]) => {
    const { x, y } = pageData.lab.line;
    return x.reduce((sum, v, i) => sum + (W * v + b - y[i]) ** 2, 0) / x.length;
  };
  const H = 1e-5;
  const slopes = ([W, b]) => [
    (meanSquare([W + H, b]) - meanSquare([W - H, b])) / (2 * H),
    (meanSquare([W, b + H]) - meanSquare([W, b - H])) / (2 * H),
  ];
  const RATE = 0.3;
  lab("linear-regression", [{
    key: "fit",
    controls: [
      control.range("W", { min: -2, max: 3, step: 0.05, value: -1 }),
      control.range("b", { min: -1, max: 3, step: 0.05, value: 2 }),
      control.range("steps", { min: 0, max: 60, value: 0, play: true }),
    ],
    compute({ W, b, steps }) {
      let at = [W, b];
      const trail = [at];
      for (let k = 0; k < steps; k++) { const g = slopes(at); at = [at[0] - RATE * g[0], at[1] - RATE * g[1]]; trail.push(at); }
      const [dW, db] = slopes(at);
      return { at, trail, mse: meanSquare(at), dW, db, least: meanSquare(pageData.lab.line.best) };
    },
    draw(host, { at, trail, mse }, { W, b }, say) {
      const [left, right] = twoWays.panels(host);
      const { x, y, best } = pageData.lab.line;
      const ends = [-1.3, 2.3];
      const line = ([a, c]) => ends.map((v) => a * v + c);
      chart.draw(left, {
        height: 360, alt: say("alt"), x: { title: "x", range: ends }, y: { title: "y", range: [-2, 4.5] },
        marks: [
          { kind: "points", x, y, ink: "ink", size: 6, name: say("data") },
          { kind: "line", x: ends, y: line(best), ink: "good", dash: "dot", name: say("closed_form") },
          { kind: "line", x: ends, y: line(at), ink: "scratch", name: say("this_line"), width: 2.5 },
        ],
      });
      const axis = (low, high) => Array.from({ length: 25 }, (_, i) => low + ((high - low) * i) / 24);
      const [xs, ys] = [axis(-2, 3), axis(-1, 3)];
      return chart.draw(right, {
        height: 360, alt: say("alt_surface"), x: { title: "W", range: [-2, 3] }, y: { title: "b", range: [-1, 3] },
        marks: [
          { kind: "heat", x: xs, y: ys, z: ys.map((v) => xs.map((u) => Math.log(meanSquare([u, v])))), scale: "amount", ghost: true },
          { kind: "line", x: trail.map((p) => p[0]), y: trail.map((p) => p[1]), ink: "torch", dots: true, size: 6, name: say("trail") },
          { kind: "points", x: [best[0]], y: [best[1]], ink: "good", shape: "x", size: 11 },
        ],
      });
    },
    drag: ([W, b]) => ({ W, b, steps: 0 }),
    readings: ({ mse, dW, db, at }) => [["mse", chart.show(mse, 6)], ["dW", chart.show(dW, 6)], ["db", chart.show(db, 6)], ["line", `${chart.show(at[0], 3)} x + ${chart.show(at[1], 3)}`.replace("+ −", "− ")]],
    claims: ({ mse, least, dW, db }) => [
      ["best", mse <= 1.001 * least, { mse: chart.show(mse), least: chart.show(least) }],
      ["flat", Math.hypot(dW, db) < 1e-3, { size: chart.show(Math.hypot(dW, db), 2) }],
    ],
  }]);

  const NODE = { sizes: [2, 1], activation: "identity", loss: "binary_cross_entropy", round: network.exactly };
  lab("logistic-regression", [{
    key: "separate",
    controls: [
      control.range("w1", { min: -4, max: 4, step: 0.1, value: 1 }),
      control.range("w2", { min: -4, max: 4, step: 0.1, value: -0.5 }),
      control.range("b", { min: -4, max: 4, step: 0.1, value: 1 }),
      control.range("steps", { min: 0, max: 60, value: 0, play: true }),
    ],
    compute({ w1, w2, b, steps }) {
      const { x, t } = pageData.lab.clouds;
      const n = t.length;
      const theta = Float64Array.from([w1, w2, b]);
      for (let k = 0; k < steps; k++) network.backprop(NODE, theta, x, t, n).gradient.forEach((g, i) => { theta[i] -= 0.5 * g; });
      const { loss, gradient, forward } = network.backprop(NODE, theta, x, t, n);
      const right = Array.from(forward.logits).filter((z, i) => (z > 0) === (t[i] === 1)).length / n;
      return { theta, loss, gradient, right };
    },
    draw(host, { theta }, state, say) {
      const { x, t } = pageData.lab.clouds;
      const [w1, w2, b] = theta;
      const of = (c) => [0, 1].map((k) => Array.from(t).flatMap((v, i) => (v === c ? [x[2 * i + k]] : [])));
      const axis = Array.from({ length: 31 }, (_, i) => -5 + i / 3);
      const [no, yes] = [of(0), of(1)];
      return chart.draw(host, {
        height: 400, alt: say("alt"), x: { title: "x₁", range: [-5, 5] }, y: { title: "x₂", range: [-5, 5] },
        marks: [
          { kind: "heat", x: axis, y: axis, z: axis.map((v) => axis.map((u) => network.sigmoid(w1 * u + w2 * v + b))), low: 0, high: 1, scale: "classes", ghost: true },
          { kind: "points", x: no[0], y: no[1], ink: "scratch", size: 7, name: say("no") },
          { kind: "points", x: yes[0], y: yes[1], ink: "torch", shape: "diamond", size: 7, name: say("yes") },
        ],
      });
    },
    readings: ({ loss, right, gradient }) => [["loss", chart.show(loss, 6)], ["right", `${(100 * right).toFixed(1)}%`], ["slope_w1", chart.show(gradient[0])]],
    claims: ({ right, gradient, loss }) => [
      ["separates", right >= 0.95, { right: `${(100 * right).toFixed(1)}%` }],
      ["better_than_guess", loss < Math.LN2, { loss: chart.show(loss) }],
    ],
  }]);
})();
