"use strict";
// Draws every figure from the data beside it, in the colours of the reader's screen, and redraws it when
// those change. The name below is all that a chapter's own script may use of this one.
const backproof = (() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const coarse = window.matchMedia("(pointer: coarse)");
  const partner = JSON.parse(document.getElementById("dark-colours").textContent);
  const config = {
    displaylogo: false, responsive: false, showSendToCloud: false, plotlyServerURL: "", topojsonURL: "",
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
  };

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

  function draw(plot, { isDark = dark.matches, width } = {}) {
    const data = plot.parentElement.querySelector("script.plot-data").textContent;
    const figure = coloured(JSON.parse(data), isDark);
    figure.layout = { ...figure.layout, autosize: width === undefined, width };
    if (coarse.matches) figure.layout.dragmode = false; // a finger scrolls the page, not the figure
    const roomy = plot.clientWidth > 600 && !coarse.matches; // else the buttons would lie on the legend
    window.Plotly.purge(plot);
    return window.Plotly.newPlot(plot, { ...figure, config: { ...config, displayModeBar: roomy && "hover" } });
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

  // One figure per task: the page can be read and scrolled while the others are still to be drawn.
  async function drawAll() {
    for (const plot of plots) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      await draw(plot);
      drawn.add(plot);
      widths.set(plot, plot.getBoundingClientRect().width);
      fit.observe(plot);
    }
    document.documentElement.dataset.drawn = String(drawn.size);
  }

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

  dark.addEventListener("change", () => drawn.forEach((plot) => draw(plot)));
  window.addEventListener("beforeprint", () => drawn.forEach((plot) => draw(plot, { isDark: false, width: 680 })));
  window.addEventListener("afterprint", () => drawn.forEach((plot) => draw(plot)));
  followReader();
  return { finished: drawAll(), redraw: draw };
})();
