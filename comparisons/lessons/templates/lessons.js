"use strict";
// The lessons: choose the language, move the sliders, answer the perceptron's question.
(() => {
  const root = document.querySelector(".lessons");
  if (!root) return;

  // The figure as data, as page.js draws it: changing it there outlives a change of colours.
  const source = (plot) => plot.parentElement.querySelector("script.plot-data");
  const parts = Array.from(root.querySelectorAll(".lesson-figure"), (box) => ({
    plot: box.querySelector(".plot"),
    input: box.querySelector(".slider input"),
    output: box.querySelector(".slider output"),
    more: JSON.parse(box.querySelector("script.more").textContent),
  }));

  function set(node, path, value) {
    const last = path[path.length - 1];
    const inner = path.slice(0, -1).reduce((at, step) => (at === undefined ? at : at[step]), node);
    if (inner !== undefined) inner[last] = value;
  }

  async function speak(language) {
    root.dataset.language = language;
    root.querySelectorAll(".switch button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    });
    await backproof.finished;
    for (const { plot, more } of parts) {
      plot.setAttribute("aria-label", more.alt[language]);
      if (more.labels.length === 0) continue;
      const figure = JSON.parse(source(plot).textContent);
      more.labels.forEach((label) => set(figure, label.path, label[language]));
      source(plot).textContent = JSON.stringify(figure);
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (root.dataset.language !== language) return;
      await backproof.redraw(plot);
    }
  }

  function move({ plot, input, output, more }) {
    const at = Number(input.value);
    output.textContent = more.readings[at];
    input.setAttribute("aria-valuetext", more.readings[at]);
    const figure = JSON.parse(source(plot).textContent);
    for (const [trace, values] of Object.entries(more.frames[at])) {
      Object.assign(figure.data[Number(trace)], values);
      if (!plot.data) continue; // not drawn yet: it will be, from the data
      const wrapped = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, [value]]));
      window.Plotly.restyle(plot, wrapped, [Number(trace)]);
    }
    source(plot).textContent = JSON.stringify(figure);
  }

  root.querySelectorAll(".switch button").forEach((button) => {
    button.addEventListener("click", () => speak(button.dataset.language));
  });
  parts.filter((part) => part.input).forEach((part) => {
    part.input.setAttribute("aria-valuetext", part.more.readings[Number(part.input.value)]);
    part.input.addEventListener("input", () => move(part));
  });

  const perceptron = root.querySelector(".perceptron");
  if (perceptron) {
    const inputs = Array.from(perceptron.querySelectorAll("input"));
    const signed = (value) => String(value).replace("-", "−");
    const answer = () => {
      const [w1, w2, w3, b] = inputs.map((input) => Number(input.value));
      inputs.forEach((input) => { input.nextElementSibling.textContent = signed(input.value); });
      perceptron.querySelectorAll("tbody tr").forEach((row, i) => {
        const sum = w1 * (i >> 2) + w2 * ((i >> 1) & 1) + w3 * (i & 1) + b;
        row.querySelector(".sum").textContent = signed(sum);
        row.classList.toggle("on", sum > 0);
      });
    };
    inputs.forEach((input) => input.addEventListener("input", answer));
    answer();
  }
})();
