// Pictures as SVG: axes, lines, points, maps and bars, in the colours of the page's style sheet.
// A picture is {x, y, marks, height, alt}; an axis {title, log, range, hidden, names, turned}.
const chart = (() => {
  const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
  const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const power = (exponent) => `10${String(exponent).replace(/./g, (c) => SUPERSCRIPT[c] ?? "")}`;

  // A number as people read it: 0.9132, 12, 20,155, 1.3×10⁻⁹.
  function show(value, digits = 4) {
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
      const [mantissa, exponent] = value.toExponential(Math.min(digits, 3) - 1).split("e");
      const short = mantissa.replace(/\.?0+$/, "");
      return `${short === "1" ? "" : short === "-1" ? "-" : `${short}×`}${power(Number(exponent))}`.replace(/^-/, "−");
    }
    const fixed = Number(value.toPrecision(digits));
    return fixed.toLocaleString("en-US", { maximumFractionDigits: 8 }).replace("-", "−");
  }

  const finite = (values) => values.filter((v) => v !== null && Number.isFinite(v));

  function scale(axis, values, from, to) {
    const usable = finite(values).filter((v) => !axis.log || v > 0);
    let [low, high] = axis.range || [Math.min(...usable), Math.max(...usable)];
    if (!usable.length && !axis.range) [low, high] = axis.log ? [1, 10] : [0, 1];
    if (!axis.range) {
      const [a, b] = axis.log ? [Math.log10(low), Math.log10(high)] : [low, high];
      const room = 0.05 * (b - a) || (axis.log ? 0.5 : 0.5 * (Math.abs(a) || 1));
      [low, high] = axis.log ? [10 ** (a - room), 10 ** (b + room)] : [a - room, b + room];
    }
    const f = axis.log ? Math.log10 : (v) => v;
    const [a, b] = [f(low), f(high)];
    const [start, end] = axis.turned ? [to, from] : [from, to];
    const place = (v) => start + ((f(v) - a) / (b - a)) * (end - start);
    const back = (p) => { const v = a + ((p - start) / (end - start)) * (b - a); return axis.log ? 10 ** v : v; };
    return { low, high, place, back };
  }

  function ticks(axis, { low, high }, most) {
    if (axis.log) {
      const [a, b] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
      if (b - a < 1) return even(low, high, most);
      const step = Math.max(1, Math.ceil((b - a + 1) / most));
      return Array.from({ length: Math.floor((b - a) / step) + 1 }, (_, i) => 10 ** (a + i * step));
    }
    return even(low, high, most, axis.least);
  }

  // `least` is the smallest step: 1 where only whole numbers mean something.
  function even(low, high, most, least = 0) {
    const rough = Math.max(least, (high - low) / Math.max(2, most));
    const unit = 10 ** Math.floor(Math.log10(rough));
    const steps = [0.5, 1, 2, 5, 10].map((m) => m * unit).filter((s) => s >= least);
    const at = (step) => {
      const found = [];
      for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
      return found;
    };
    const k = steps.findIndex((s) => s >= rough);
    const found = at(steps[k]);
    return found.length < 3 && k > 0 ? at(steps[k - 1]) : found; // one number alone says nothing of a scale
  }

  const DASHES = { dash: "7 5", dot: "2 4", dashdot: "8 4 2 4", longdash: "12 5", longdashdot: "12 4 2 4" };
  const SHAPES = {
    diamond: (r) => `M0 ${-1.3 * r}L${1.3 * r} 0L0 ${1.3 * r}L${-1.3 * r} 0Z`,
    square: (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
    "triangle-up": (r) => `M0 ${-1.2 * r}L${1.1 * r} ${r}H${-1.1 * r}Z`,
    x: (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`,
    cross: (r) => `M${-r} 0H${r}M0 ${-r}V${r}`,
  };

  function symbol(shape, x, y, r) {
    if (!SHAPES[shape]) return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${r}"/>`;
    const open = shape === "x" || shape === "cross" ? ' fill="none" stroke="currentColor" stroke-width="2.2"' : "";
    return `<path transform="translate(${x.toFixed(1)} ${y.toFixed(1)})" d="${SHAPES[shape](r)}"${open}/>`;
  }

  function path(mark, X, Y, box) {
    const parts = [];
    let pen = "M";
    const inside = (v) => Math.max(-4000, Math.min(4000, v));
    mark.x.forEach((x, i) => {
      const y = mark.y[i];
      const [px, py] = x === null || y === null ? [NaN, NaN] : [X.place(x), Y.place(y)];
      if (!Number.isFinite(px) || !Number.isFinite(py)) { pen = "M"; return; }
      parts.push(`${pen}${inside(px).toFixed(1)} ${inside(py).toFixed(1)}`);
      pen = "L";
    });
    const dash = DASHES[mark.dash] ? ` stroke-dasharray="${DASHES[mark.dash]}"` : "";
    return `<path class="ink-${mark.ink || "scratch"}" d="${parts.join("")}" fill="none" stroke="currentColor" stroke-width="${mark.width || 2}"${dash} stroke-linejoin="round"/>`;
  }

  function points(mark, X, Y) {
    const r = (mark.size || 9) / 2;
    const all = mark.x.map((x, i) => {
      const [px, py] = [X.place(x), Y.place(mark.y[i])];
      return Number.isFinite(px) && Number.isFinite(py) ? symbol(mark.shape, px, py, r) : "";
    });
    return `<g class="ink-${mark.ink || "scratch"}" fill="currentColor">${all.join("")}</g>`;
  }

  // The colour of part v in 0 .. 1: its strength is its opacity, so that it suits light and dark paper.
  const opacity = (v, kind) => Math.max(0, Math.min(1,
    kind === "amount" || kind === "grey" ? v : 2 * Math.abs(v - 0.5) * (kind === "classes" ? 0.6 : 1)));
  function shade(v, kind) {
    if (!Number.isFinite(v)) return 'class="ink-reference" fill-opacity="0.15"';
    const ink = kind === "grey" ? "ink" : kind === "amount" || v < 0.5 ? "scratch" : "torch";
    return `class="ink-${ink}" fill-opacity="${opacity(v, kind).toFixed(3)}"`;
  }

  function heat(mark, X, Y, x0, y0, width, height) {
    const [rows, columns] = [mark.z.length, mark.z[0].length];
    const all = finite(mark.z.flat());
    const low = mark.low ?? Math.min(...all);
    const high = mark.high ?? Math.max(...all);
    const cells = [];
    const edge = (values, i, S, from, to, n) => {
      if (!values) return from + ((to - from) * i) / n;
      const middle = (a, b) => (S.place(values[a]) + S.place(values[b])) / 2;
      if (i === 0) return S.place(values[0]) - (middle(0, 1) - S.place(values[0]));
      if (i === n) return S.place(values[n - 1]) + (S.place(values[n - 1]) - middle(n - 2, n - 1));
      return middle(i - 1, i);
    };
    const gap = mark.gap || 0;
    for (let r = 0; r < rows; r++) {
      const ends = [edge(mark.y, r, Y, mark.up ? y0 + height : y0, mark.up ? y0 : y0 + height, rows),
        edge(mark.y, r + 1, Y, mark.up ? y0 + height : y0, mark.up ? y0 : y0 + height, rows)];
      const [top, bottom] = [Math.min(...ends), Math.max(...ends)];
      for (let c = 0; c < columns; c++) {
        const left = edge(mark.x, c, X, x0, x0 + width, columns);
        const right = edge(mark.x, c + 1, X, x0, x0 + width, columns);
        const v = mark.z[r][c];
        const part = v === null ? NaN : (v - low) / (high - low || 1);
        cells.push(`<rect x="${left.toFixed(2)}" y="${top.toFixed(2)}" width="${(right - left - gap).toFixed(2)}" height="${(bottom - top - gap).toFixed(2)}" ${shade(part, mark.scale)} fill="currentColor"/>`);
        const text = mark.text ? mark.text[r][c] : "";
        const strong = opacity(part, mark.scale) > 0.6; // the letters then take the colour of the paper
        const long = String(text).length > 3;
        if (text !== "") cells.push(`<text class="cell${strong ? " strong" : ""}${long ? " long" : ""}" x="${((left + right) / 2).toFixed(1)}" y="${((top + bottom) / 2 + 4).toFixed(1)}" text-anchor="middle">${escaped(typeof text === "number" ? String(text).replace("-", "−") : text)}</text>`);
      }
    }
    return `<g shape-rendering="crispEdges">${cells.join("")}</g>`;
  }

  function bars(marks, X, Y, box) {
    const groups = marks[0].x.length;
    const slot = (box.right - box.left) / groups;
    const width = (0.8 * slot) / marks.length;
    const zero = Y.place(Math.max(Y.low, Math.min(0, Y.high)));
    return marks.map((mark, k) => `<g class="ink-${mark.ink}" fill="currentColor">${mark.y.map((y, i) => {
      const top = Y.place(y);
      const left = box.left + i * slot + 0.1 * slot + k * width;
      const look = mark.hollow ? 'fill="none" stroke="currentColor" stroke-width="1.6"' : "";
      return `<rect x="${left.toFixed(1)}" y="${Math.min(top, zero).toFixed(1)}" width="${Math.max(1, width - 2).toFixed(1)}" height="${Math.abs(zero - top).toFixed(1)}" ${look}/>`;
    }).join("")}</g>`).join("");
  }

  function legend(marks) {
    const named = marks.filter((mark) => mark.name);
    if (!named.length) return "";
    const sample = (mark) => {
      const style = DASHES[mark.kind === "rule" ? mark.dash || "dash" : mark.dash];
      const dash = style ? ` stroke-dasharray="${style}"` : "";
      const stroke = mark.kind === "points" || mark.kind === "bars" ? "" : `<path d="M1 7H27" stroke="currentColor" stroke-width="2"${dash}/>`;
      const dot = mark.kind === "points" || mark.dots ? symbol(mark.shape, 14, 7, 4) : "";
      const block = mark.kind === "bars" ? `<rect x="8" y="2" width="12" height="10" ${mark.hollow ? 'fill="none" stroke="currentColor"' : ""}/>` : "";
      return `<svg class="ink-${mark.ink || (mark.kind === "rule" ? "reference" : "scratch")}" width="28" height="14" aria-hidden="true" fill="currentColor">${stroke}${dot}${block}</svg>`;
    };
    return `<ul class="legend">${named.map((mark) => `<li>${sample(mark)}${escaped(mark.name)}</li>`).join("")}</ul>`;
  }

  function axisX(axis, X, box, most) {
    const names = axis.names;
    const at = names ? names.map((name, i) => [box.left + ((i + 0.5) * (box.right - box.left)) / names.length, name])
      : ticks(axis, X, most).map((v) => [X.place(v), axis.show ? axis.show(v) : axis.log ? show(v, 1) : show(v, 6)]);
    const lines = at.map(([p, text]) => `<path class="grid" d="M${p.toFixed(1)} ${names ? box.bottom : box.top}V${box.bottom + 4}"/><text x="${p.toFixed(1)}" y="${box.bottom + 18}" text-anchor="middle">${escaped(text)}</text>`);
    const title = axis.title ? `<text class="title" x="${((box.left + box.right) / 2).toFixed(1)}" y="${box.bottom + 38}" text-anchor="middle">${escaped(axis.title)}</text>` : "";
    return lines.join("") + title;
  }

  function axisY(axis, Y, box, most) {
    const names = axis.names;
    const at = names ? names.map((name, i) => {
      const part = ((i + 0.5) * (box.bottom - box.top)) / names.length;
      return [axis.turned ? box.top + part : box.bottom - part, name];
    }) : ticks(axis, Y, most).map((v) => [Y.place(v), axis.show ? axis.show(v) : axis.log ? show(v, 1) : show(v, 6)]);
    return at.map(([p, text]) => `<path class="grid" d="M${box.left - 4} ${p.toFixed(1)}H${names ? box.left : box.right}"/><text x="${box.left - 8}" y="${(p + 4).toFixed(1)}" text-anchor="end">${escaped(text)}</text>`).join("");
  }

  const MARKS = { line: path, points };
  let serial = 0;

  // Draw into `host`; returns the scales, with which a place of the pointer becomes numbers again.
  function draw(host, picture) {
    const width = Math.max(240, Math.round(host.clientWidth || 640));
    const tallest = picture.height || 380;
    const height = picture.square && picture.x === undefined ? Math.min(tallest, Math.round((width - 18) / picture.square) + 16) : tallest;
    const { marks } = picture;
    const x = picture.x || { hidden: true };
    const y = picture.y || { hidden: true };
    const values = (key) => marks.filter((m) => !m.ghost).flatMap((m) => (Array.isArray(m[key]) ? m[key] : [])).filter((v) => typeof v === "number");
    const box = { left: y.hidden ? 6 : 58, right: width - 20, top: y.title ? 26 : 10, bottom: height - (x.hidden ? 6 : x.title ? 46 : 26) };
    if (picture.square) {
      const side = Math.min(box.right - box.left, box.bottom - box.top);
      box.right = box.left + side * picture.square;
      box.bottom = box.top + side;
      if (box.right > width - 20) { box.right = width - 20; box.bottom = box.top + (box.right - box.left) / picture.square; }
    }
    const X = scale(x, x.names ? [0, 1] : values("x"), box.left, box.right);
    const barred = marks.some((m) => m.kind === "bars");
    const Y = scale(y, y.names ? [0, 1] : [...values("y"), ...(barred ? [0] : [])], box.bottom, box.top);
    const heats = marks.filter((m) => m.kind === "heat").map((m) => heat(m, X, Y, box.left, box.top, box.right - box.left, box.bottom - box.top));
    const axes = (x.hidden ? "" : axisX(x, X, box, Math.max(2, Math.floor((box.right - box.left) / 74)))) +
      (y.hidden ? "" : axisY(y, Y, box, Math.max(2, Math.floor((box.bottom - box.top) / 44))));
    const title = y.title ? `<text class="title" x="4" y="14">${escaped(y.title)}</text>` : "";
    const drawn = marks.map((m) => {
      if (m.kind === "text") return m.x.map((v, i) => `<text class="mark-text" x="${(X.place(v) + 8).toFixed(1)}" y="${(Y.place(m.y[i]) - 8).toFixed(1)}">${escaped(m.text[i])}</text>`).join("");
      if (m.kind === "rule") {
        const p = m.x !== undefined ? X.place(m.x) : Y.place(m.y);
        const dash = DASHES[m.dash || "dash"] ? ` stroke-dasharray="${DASHES[m.dash || "dash"]}"` : "";
        return `<path class="ink-${m.ink || "reference"}" stroke="currentColor" stroke-width="1.6"${dash} d="${m.x !== undefined ? `M${p.toFixed(1)} ${box.top}V${box.bottom}` : `M${box.left} ${p.toFixed(1)}H${box.right}`}"/>`;
      }
      return MARKS[m.kind] ? MARKS[m.kind](m, X, Y) + (m.dots ? points(m, X, Y) : "") : "";
    });
    const barMarks = marks.filter((m) => m.kind === "bars");
    const clip = `clip-${(serial += 1)}`;
    const frame = x.hidden || y.hidden ? "" : `<path class="frame" d="M${box.left} ${box.top}V${box.bottom}H${box.right}"/>`;
    host.innerHTML = `${legend(marks)}<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(picture.alt || "")}">` +
      `<clipPath id="${clip}"><rect x="${box.left - 1}" y="${box.top - 6}" width="${box.right - box.left + 8}" height="${box.bottom - box.top + 12}"/></clipPath>` +
      `${heats.join("")}${axes}${frame}${title}<g clip-path="url(#${clip})"${heats.length ? ' class="over"' : ""}>${barMarks.length ? bars(barMarks, X, Y, box) : ""}${drawn.join("")}</g></svg>`;
    return { X, Y, svg: host.querySelector("svg[role=img]"), box };
  }

  // --- figures that the Python run drew, as Plotly's JSON

  const KINDS = { "lines": "line", "lines+markers": "line", "markers": "points" };

  function mark(trace, i) {
    const ink = (colour) => (colour ? colour.slice(0, 4) === "ink-" ? colour.slice(4) : "reference" : "scratch");
    if (trace.type === "bar") {
      return { kind: "bars", x: trace.x, y: trace.y, name: trace.name, ink: ink(trace.marker.color), hollow: Boolean(trace.marker.pattern?.shape) };
    }
    if (trace.mode === "text") return { kind: "text", x: trace.x, y: trace.y, text: trace.text };
    const shared = { x: trace.x, y: trace.y, name: trace.showlegend === false ? "" : trace.name };
    const look = trace.line || trace.marker || {};
    return {
      ...shared, kind: KINDS[trace.mode], ink: ink(look.color), dash: trace.line?.dash,
      dots: trace.mode === "lines+markers", shape: trace.marker?.symbol, size: trace.marker?.size || 7,
    };
  }

  function heatMark(trace, turned) {
    const text = trace.texttemplate === "%{z}" ? trace.z : trace.texttemplate ? trace.text : null;
    return {
      kind: "heat", z: trace.z, low: trace.zmin, high: trace.zmax, scale: trace.scale, gap: trace.xgap || 0, text,
      up: !turned, x: typeof trace.x?.[0] === "number" ? trace.x : null, y: typeof trace.y?.[0] === "number" ? trace.y : null,
    };
  }

  const axisOf = (axis = {}, names) => ({
    title: axis.title?.text, log: axis.type === "log", hidden: axis.visible === false, turned: axis.autorange === "reversed", least: axis.dtick,
    range: axis.range && (axis.type === "log" ? axis.range.map((v) => 10 ** v) : axis.range), names,
  });

  function figure(host, { data, layout, alt }) {
    const panels = new Set(data.map((trace) => trace.xaxis || "x"));
    if (panels.size > 1) return gallery(host, data, layout, alt);
    const names = (key) => data.map((t) => t[key]).find((v) => typeof v?.[0] === "string");
    const turned = layout.yaxis?.autorange === "reversed";
    const y = axisOf(layout.yaxis, names("y") || (layout.yaxis?.type === "category" ? data[0].z?.map((_, i) => String(i)) : undefined));
    const x = axisOf(layout.xaxis, names("x") || (layout.xaxis?.type === "category" ? data[0].z?.[0].map((_, i) => String(i)) : undefined));
    const marks = data.map((trace, i) => (trace.type === "heatmap" ? heatMark(trace, turned) : mark(trace, i)));
    return draw(host, { x, y, marks, height: layout.height || 400, alt });
  }

  // Small images side by side, each with its title.
  function gallery(host, data, layout, alt) {
    const titles = (layout.annotations || []).map((a) => a.text);
    host.innerHTML = `<div class="gallery" role="img" aria-label="${escaped(alt)}">${data.map((_, i) => `<div class="small"><p>${escaped(titles[i] ?? "")}</p><div class="cellhost"></div></div>`).join("")}</div>`;
    host.querySelectorAll(".cellhost").forEach((cell, i) => image(cell, data[i]));
    return null;
  }

  function image(host, trace) {
    const [rows, columns] = [trace.z.length, trace.z[0].length];
    const side = Math.max(6, Math.min(28, Math.floor(150 / Math.max(rows, columns))));
    const m = heatMark(trace, true);
    host.innerHTML = `<svg viewBox="0 0 ${columns * side} ${rows * side}" width="${columns * side}" height="${rows * side}" aria-hidden="true">${heat(m, null, null, 0, 0, columns * side, rows * side)}</svg>`;
  }

  return { draw, figure, image, show, power, escaped };
})();
