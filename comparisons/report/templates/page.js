"use strict";
// Draws every figure from the data beside it, in the colours of the reader's screen, and redraws it when
// those change.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const coarse = window.matchMedia("(pointer: coarse)");
  const partner = JSON.parse(document.getElementById("dark-colours").textContent);
  const config = {
    displayModeBar: false, displaylogo: false, responsive: false, showSendToCloud: false,
    plotlyServerURL: "", topojsonURL: "",
  };

  // --- the drawing library, unpacked once the words are on the screen

  function loadLibrary() {
    const script = document.createElement("script");
    script.textContent = packed.text(document.getElementById("library"));
    document.head.append(script);
  }

  // --- figures

  // Every "#rrggbb" (and "#rrggbbaa") of the palette, anywhere in a figure, becomes its dark partner.
  function coloured(value, isDark) {
    if (!isDark) return value;
    if (typeof value === "string") {
      return value.replace(/#[0-9a-f]{6}/gi, (hex) => partner[hex.toLowerCase()] || hex);
    }
    if (Array.isArray(value)) return value.map((item) => coloured(item, true));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, true)]));
    }
    return value;
  }

  const dataOf = (plot) => JSON.parse(plot.parentElement.querySelector("script.plot-data").textContent);

  function draw(plot, { isDark = dark.matches, width } = {}) {
    const figure = coloured(dataOf(plot), isDark);
    figure.layout = { ...figure.layout, autosize: width === undefined, width };
    if (coarse.matches) figure.layout.dragmode = false; // a finger scrolls the page, not the figure
    window.Plotly.purge(plot);
    return window.Plotly.newPlot(plot, { ...figure, config });
  }

  const plots = Array.from(document.querySelectorAll(".plot"));
  const drawn = new Set();
  const widths = new Map();
  const fit = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (contentRect.width === 0 || !drawn.has(target) || widths.get(target) === contentRect.width) continue;
      widths.set(target, contentRect.width);
      window.Plotly.Plots.resize(target);
    }
  });

  const nextTask = () => new Promise((resolve) => setTimeout(resolve, 0));

  // One figure per task: the page can be read and scrolled while the others are still to be drawn.
  async function drawAll() {
    if (plots.length > 0) {
      await nextTask();
      loadLibrary();
    }
    for (const plot of plots) {
      await nextTask();
      await draw(plot);
      drawn.add(plot);
      widths.set(plot, plot.getBoundingClientRect().width);
      fit.observe(plot);
      if (plot.parentElement.classList.contains("plot-figure")) addTools(plot);
    }
    document.documentElement.dataset.drawn = String(drawn.size);
  }

  // --- what a reader may take along: the picture, its numbers, its address

  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    // A spreadsheet takes a cell that begins with one of these for a formula.
    const safe = /^[=+@\t\r]|^-[^0-9.]/.test(text) ? `'${text}` : text;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };

  // plotly's own files write arrays of numbers as {dtype, bdata}; the library has unpacked them by now.
  function table(plot) {
    const rows = [["series", "x", "y", "z"]];
    for (const trace of plot.data) {
      const x = Array.from(trace.x || []);
      const y = Array.from(trace.y || []);
      if (trace.z) {
        trace.z.forEach((line, i) => Array.from(line).forEach((z, j) => rows.push([trace.name, x[j], y[i], z])));
      } else {
        for (let i = 0; i < Math.max(x.length, y.length); i++) rows.push([trace.name, x[i], y[i], ""]);
      }
    }
    return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
  }

  async function picture(plot) {
    const { width, height } = plot.getBoundingClientRect();
    const figure = { ...coloured(dataOf(plot), false), config };
    figure.layout = { ...figure.layout, paper_bgcolor: "#ffffff" };
    const url = await window.Plotly.toImage(figure, { format: "svg", width, height });
    return decodeURIComponent(url.slice(url.indexOf(",") + 1));
  }

  function addTools(plot) {
    const figure = plot.parentElement;
    const name = figure.id || "figure";
    const tools = document.createElement("p");
    tools.className = "tools";
    const add = (label, help, action) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.title = help;
      button.setAttribute("aria-label", `${label}: ${help}, ${name}`);
      button.addEventListener("click", action);
      tools.append(button);
    };
    add("SVG", "Save the picture", async () => save(`${name}.svg`, "image/svg+xml", await picture(plot)));
    add("CSV", "Save the numbers", () => save(`${name}.csv`, "text/csv", table(plot)));
    const link = document.createElement("a");
    link.href = `#${name}`;
    link.textContent = "Link";
    link.setAttribute("aria-label", `Link: ${name}`);
    tools.append(link);
    figure.append(tools);
  }

  // --- the page

  function followReader() {
    const links = new Map(
      Array.from(document.querySelectorAll(".contents a"), (link) => [link.hash.slice(1), link]),
    );
    const seen = new IntersectionObserver(
      (entries) => {
        const entry = entries.find((candidate) => candidate.isIntersecting);
        if (!entry) return;
        for (const [key, link] of links) {
          if (key === entry.target.id) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
        }
      },
      { rootMargin: "-10% 0px -80% 0px" },
    );
    document.querySelectorAll("section.chapter").forEach((section) => seen.observe(section));
  }

  // What is folded is open on paper, and folded again afterwards.
  let opened = [];
  function unfold() {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach((details) => { details.open = true; });
    drawn.forEach((plot) => draw(plot, { isDark: false, width: 680 }));
  }
  function fold() {
    opened.forEach((details) => { details.open = false; });
    drawn.forEach((plot) => draw(plot));
  }

  dark.addEventListener("change", () => drawn.forEach((plot) => draw(plot)));
  window.addEventListener("beforeprint", unfold);
  window.addEventListener("afterprint", fold);
  followReader();
  drawAll();
})();
