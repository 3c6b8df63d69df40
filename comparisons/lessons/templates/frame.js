// One lesson at a time: its controls, its pictures, its claims; language and every control in the address.
//
// A lesson with something to move is `lab(name, [scene, ...])`. A scene is
//   {key, controls, uses, compute(state) -> found, draw(host, found, state, say), readings, claims, drag}
// `compute` touches no page: what it finds can be checked without one. All that is shown is drawn again
// whenever a control that the scene uses was moved; a claim is a sentence judged anew each time.
const pageData = JSON.parse(document.getElementById("data").textContent);
const labs = {};
function lab(name, scenes) { labs[name] = scenes; }

// --- controls: what can be moved, with where it begins

const control = {
  range: (name, { min, max, step = 1, value, show, play = false }) => ({ kind: "range", name, min, max, step, start: value, show, play }),
  choice: (name, options, start = options[0]) => ({ kind: "choice", name, options, start }),
  toggle: (name, start = false) => ({ kind: "toggle", name, start: start ? 1 : 0 }),
  press: (name, next, start = 0) => ({ kind: "press", name, next, start }),
  pixels: (name, start) => ({ kind: "pixels", name, start }),
};

const frame = (() => {
  const data = pageData;
  const states = {};
  const shown = { lesson: "", language: "en", presenting: false, scene: 0, sheet: false };
  const dirty = new Map(); // lesson -> names of controls moved since it was drawn; null: draw all
  let waiting = false;

  const article = (name) => document.getElementById(`lesson-${name}`);
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  // --- words

  function words(lesson, key) {
    return data.words[lesson]?.[key] || data.words.frame[key] || { en: key, ko: key };
  }
  function filled(html, values = {}) {
    return html.replace(/&lt;([a-z][a-z0-9_]*)&gt;/g, (whole, name) => (name in values ? chart.escaped(values[name]) : whole));
  }
  const html = (lesson, key, values) => filled(words(lesson, key)[shown.language], values);
  function plain(lesson, key, values) {
    const text = new DOMParser().parseFromString(html(lesson, key, values), "text/html").body.textContent;
    return text;
  }
  const both = (lesson, key) => {
    const found = words(lesson, key);
    return found.en === found.ko ? found.en : ["en", "ko"].map((l) => `<span class="in-${l}" lang="${l}">${found[l]}</span>`).join("");
  };
  const sayer = (lesson, scene) => {
    const key = (name) => (data.words[lesson]?.[`${scene}.${name}`] ? `${scene}.${name}` : name);
    const say = (name, values) => plain(lesson, key(name), values);
    say.html = (name, values) => html(lesson, key(name), values);
    return say;
  };

  // --- state and address

  const controlsOf = (name) => (labs[name] || []).flatMap((scene) => scene.controls || []);
  const startOf = (name) => Object.fromEntries(controlsOf(name).map((c) => [c.name, c.start]));
  const stateOf = (name) => (states[name] ||= startOf(name));

  function read(address) {
    const [name, query = ""] = decodeURIComponent(address.replace(/^#/, "")).replace(/^lesson-/, "").split("?");
    return { name: data.order.includes(name) ? name : data.order[0], query: new URLSearchParams(query) };
  }

  function valid(c, text) {
    if (c.kind === "choice") return c.options.includes(text) ? text : c.start;
    if (c.kind === "pixels") return /^[a-q]{64}$/.test(text) ? text : c.start;
    const value = Number(text);
    if (!Number.isFinite(value)) return c.start;
    if (c.kind === "range") return Math.min(c.max, Math.max(c.min, value));
    return c.kind === "toggle" ? (value ? 1 : 0) : value;
  }

  function address(name = shown.lesson) {
    const query = new URLSearchParams();
    if (shown.language !== data.language) query.set("lang", shown.language);
    if (shown.presenting) query.set("present", String(shown.scene + 1));
    if (shown.sheet) query.set("sheet", "1");
    const state = stateOf(name);
    controlsOf(name).forEach((c) => { if (state[c.name] !== c.start) query.set(c.name, String(state[c.name])); });
    const text = query.toString();
    return `#${name}${text ? `?${text}` : ""}`;
  }

  function restore() {
    const { name, query } = read(location.hash);
    const state = startOf(name);
    controlsOf(name).forEach((c) => { if (query.has(c.name)) state[c.name] = valid(c, query.get(c.name)); });
    states[name] = state;
    shown.presenting = query.has("present");
    shown.sheet = query.has("sheet");
    shown.scene = Math.max(0, Number(query.get("present") || 1) - 1);
    speak(["en", "ko"].includes(query.get("lang")) ? query.get("lang") : data.language);
    dirty.set(name, null);
    open(name);
  }

  const remember = () => history.replaceState(null, "", address());

  // --- showing

  function speak(language) {
    shown.language = language;
    document.documentElement.lang = language;
    all("[data-speak]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.speak === language)));
    all("[data-label]").forEach((e) => e.setAttribute("aria-label", plain("frame", e.dataset.label)));
    data.order.forEach((name) => dirty.set(name, null));
  }

  function open(name) {
    shown.lesson = name;
    all("article.lesson").forEach((part) => { part.hidden = part.id !== `lesson-${name}`; });
    all("nav.map a").forEach((a) => {
      if (a.getAttribute("href") === `#${name}`) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
    });
    const at = data.order.indexOf(name);
    all("[data-go]", article(name)).forEach((a) => {
      const to = data.order[at + Number(a.dataset.go)];
      a.hidden = !to;
      if (to) { a.href = `#${to}`; one(".to", a).innerHTML = both(to, "title"); }
    });
    build(name);
    present();
    document.title = `${plain(name, "title")} · backproof`;
    redraw();
  }

  // Whatever of the lesson has to be drawn, before the next frame of the screen.
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; drawNow(shown.lesson); document.documentElement.dataset.drawn = "1"; });
  }

  function drawNow(name) {
    if (!dirty.has(name)) return;
    const moved = dirty.get(name);
    dirty.delete(name);
    (labs[name] || []).forEach((scene) => {
      const uses = scene.uses || (scene.controls || []).map((c) => c.name);
      if (moved === null || uses.some((use) => moved.has(use))) drawSoon(name, scene);
    });
    if (moved === null) drawFigures(name);
    follow(name);
  }

  // What takes longer to compute waits until it comes into sight.
  const inSight = new Set();
  let drawAll = false; // for the printer
  function drawSoon(name, scene) {
    const section = one(`[data-scene="${scene.key}"]`, article(name));
    if (!scene.heavy || drawAll || inSight.has(section)) { drawScene(name, scene); return; }
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      inSight.add(section);
      drawScene(name, scene);
    });
    observer.observe(section);
  }

  function drawScene(name, scene) {
    const section = one(`[data-scene="${scene.key}"]`, article(name));
    const state = stateOf(name);
    const say = sayer(name, scene.key);
    const found = scene.compute(state);
    const scales = scene.draw(one(".picture", section), found, state, say);
    if (scene.drag && scales) dragging(name, scene, scales);
    const readings = scene.readings ? scene.readings(found, state, say) : [];
    one(".readings", section).innerHTML = readings.map(([key, value, mark]) => `<div><dt>${say.html(key)}</dt><dd data-reading="${key}">${mark ? value : chart.escaped(value)}</dd></div>`).join("");
    const judged = scene.claims ? scene.claims(found, state) : [];
    one(".live", section).innerHTML = judged.map(([key, holds, values]) => `<li class="${holds ? "held" : "refuted"}" data-claim="${key}"><span class="mark" aria-hidden="true">${holds ? "✓" : "✗"}</span> <span>${say.html(`claims.${key}`, values)} <b class="outcome">${html("frame", holds ? "now_true" : "now_false")}</b></span></li>`).join("");
  }

  // A pointer on the picture moves the controls that the scene names.
  function dragging(name, scene, { X, Y, svg }) {
    svg.classList.add("draggable");
    svg.onpointerdown = (event) => {
      event.preventDefault();
      const box = svg.getBoundingClientRect();
      const begun = { ...stateOf(name) };
      const zoom = svg.viewBox.baseVal.width / box.width;
      const place = (e) => [X.back((e.clientX - box.left) * zoom), Y.back((e.clientY - box.top) * zoom)];
      const from = place(event);
      const host = svg.parentElement;
      const move = (e) => change(name, scene.drag(place(e), from, begun));
      const stop = () => { window.removeEventListener("pointermove", move); window.removeEventListener("pointerup", stop); window.removeEventListener("pointercancel", stop); host.classList.remove("dragged"); };
      host.classList.add("dragged");
      window.addEventListener("pointermove", move);
      window.addEventListener("pointerup", stop);
      window.addEventListener("pointercancel", stop);
      move(event);
    };
  }

  function change(name, values) {
    const state = stateOf(name);
    const moved = dirty.get(name) === null && dirty.has(name) ? null : dirty.get(name) || new Set();
    controlsOf(name).forEach((c) => {
      if (!(c.name in values)) return;
      let value = values[c.name];
      if (c.kind === "range") {
        const steps = Math.round((value - c.min) / c.step);
        value = Number(Math.min(c.max, Math.max(c.min, c.min + steps * c.step)).toFixed(6));
      }
      if (state[c.name] !== value) { state[c.name] = value; if (moved) moved.add(c.name); }
    });
    dirty.set(name, moved);
    remember();
    redraw();
  }

  // --- figures of the Python run

  function drawFigures(name) {
    all("[data-figure]", article(name)).forEach((box) => {
      if (box.closest("details:not([open])")) return;
      drawFigure(name, box);
    });
  }

  function translated(node, labels) {
    if (typeof node === "string") return labels[node]?.[shown.language] ?? node;
    if (Array.isArray(node)) return typeof node[0] === "number" ? node : node.map((part) => translated(part, labels));
    if (node && typeof node === "object") return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, translated(v, labels)]));
    return node;
  }

  function drawFigure(name, box) {
    const figure = data.figures[name][Number(box.dataset.figure)];
    const input = one("input", box);
    let traces = figure.data;
    if (input) {
      const at = Number(input.value);
      const news = figure.slider.frames[at];
      traces = traces.map((trace, i) => (news[i] ? { ...trace, ...news[i] } : trace));
      one("output", box).textContent = figure.slider.labels[at];
      input.setAttribute("aria-valuetext", figure.slider.labels[at]);
      input.oninput = () => drawFigure(name, box);
    }
    const shownFigure = translated({ data: traces, layout: figure.layout }, figure.labels);
    chart.figure(one(".picture", box), { ...shownFigure, alt: figure.alt[shown.language] });
  }

  // --- building the controls of a lesson, once

  function build(name) {
    const part = article(name);
    if (part.dataset.built) return;
    part.dataset.built = "1";
    (labs[name] || []).forEach((scene) => {
      const box = one(`[data-scene="${scene.key}"] .controls`, part);
      (scene.controls || []).forEach((c) => box.append(built(name, c)));
    });
    all("details", part).forEach((d) => d.addEventListener("toggle", () => {
      if (d.open) all("[data-figure]", d).forEach((figure) => drawFigure(name, figure));
      // A formula too wide for the screen scrolls, so the keyboard must reach it; the others are no stop.
      all(".formula", d).forEach((f) => { if (f.scrollWidth > f.clientWidth) f.tabIndex = 0; else f.removeAttribute("tabindex"); });
    }));
  }

  function built(name, c) {
    const box = document.createElement(c.kind === "choice" ? "fieldset" : "div");
    box.className = `control ${c.kind}`;
    box.dataset.control = c.name;
    const id = `${name}-${c.name}`;
    const label = both(name, c.name);
    if (c.kind === "range") {
      box.innerHTML = `<label for="${id}">${label}</label><input type="range" id="${id}" min="${c.min}" max="${c.max}" step="${c.step}"><output for="${id}"></output>${c.play ? `<button type="button" class="play">${both("frame", "play")}</button>` : ""}`;
      one("input", box).addEventListener("input", (e) => change(name, { [c.name]: Number(e.target.value) }));
      if (c.play) one(".play", box).addEventListener("click", () => play(name, c));
    } else if (c.kind === "choice") {
      box.innerHTML = `<legend>${label}</legend>${c.options.map((o) => `<label><input type="radio" name="${id}" value="${o}"><span>${both(name, `${c.name}_${o}`)}</span></label>`).join("")}`;
      box.addEventListener("change", (e) => change(name, { [c.name]: e.target.value }));
    } else if (c.kind === "toggle") {
      box.innerHTML = `<label><input type="checkbox" id="${id}"> <span>${label}</span></label>`;
      one("input", box).addEventListener("change", (e) => change(name, { [c.name]: e.target.checked ? 1 : 0 }));
    } else if (c.kind === "press") {
      box.innerHTML = `<button type="button">${label}</button>`;
      one("button", box).addEventListener("click", () => change(name, { ...c.next(stateOf(name)) }));
    } else {
      pixels(box, name, c, label);
    }
    return box;
  }

  // The range runs from where it stands (or from its start) to its end.
  let playing = null;
  function play(name, c) {
    if (playing) { clearInterval(playing); playing = null; return; }
    const state = stateOf(name);
    const stride = Math.max(c.step, (c.max - c.min) / 120);
    if (state[c.name] >= c.max) change(name, { [c.name]: c.min });
    playing = setInterval(() => {
      change(name, { [c.name]: state[c.name] + stride });
      if (state[c.name] >= c.max || shown.lesson !== name) { clearInterval(playing); playing = null; }
    }, 50);
  }

  // Sixty-four squares to draw a digit on: by pointer with a soft brush, by arrow keys and the space bar.
  const INKS = "abcdefghijklmnopq";
  function pixels(box, name, c, label) {
    box.innerHTML = `<p id="${name}-${c.name}-label">${label}</p><div class="grid64" role="group" aria-labelledby="${name}-${c.name}-label">${Array.from({ length: 64 }, (_, i) => `<button type="button" tabindex="${i ? -1 : 0}" data-i="${i}" aria-pressed="false" aria-label="${(i >> 3) + 1}, ${(i & 7) + 1}"></button>`).join("")}</div><button type="button" class="clear">${both("frame", "clear")}</button>`;
    const grid = one(".grid64", box);
    const paint = (changes) => {
      const cells = stateOf(name)[c.name].split("");
      changes.forEach(([i, ink, least]) => { cells[i] = INKS[least ? Math.max(ink, INKS.indexOf(cells[i])) : ink]; });
      change(name, { [c.name]: cells.join("") });
    };
    const brush = (i) => {
      const beside = [[i - 8, 1], [i + 8, 1], [i - 1, i & 7], [i + 1, (i & 7) < 7]].filter(([k, inside]) => inside && k >= 0 && k < 64);
      paint([[i, 16], ...beside.map(([k]) => [k, 5, true])]);
    };
    const under = (e) => document.elementFromPoint(e.clientX, e.clientY)?.closest?.(".grid64 button");
    grid.addEventListener("pointerdown", (e) => {
      e.preventDefault();
      const move = (event) => { const cell = under(event); if (cell && grid.contains(cell)) brush(Number(cell.dataset.i)); };
      const stop = () => { window.removeEventListener("pointermove", move); window.removeEventListener("pointerup", stop); };
      window.addEventListener("pointermove", move);
      window.addEventListener("pointerup", stop);
      move(e);
    });
    grid.addEventListener("keydown", (e) => {
      const i = Number(e.target.dataset.i);
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -8, ArrowDown: 8 }[e.key];
      if (step !== undefined) {
        e.preventDefault();
        e.stopPropagation();
        const to = grid.children[i + step];
        if (to) { e.target.tabIndex = -1; to.tabIndex = 0; to.focus(); }
      } else if (e.key === " " || e.key === "Enter") {
        e.preventDefault();
        paint([[i, stateOf(name)[c.name][i] === "a" ? 16 : 0]]);
      }
    });
    one(".clear", box).addEventListener("click", () => change(name, { [c.name]: "a".repeat(64) }));
  }

  // The controls show the state, whoever changed it.
  function follow(name) {
    const state = stateOf(name);
    controlsOf(name).forEach((c) => {
      const box = one(`[data-control="${c.name}"]`, article(name));
      const value = state[c.name];
      if (c.kind === "range") {
        const input = one("input", box);
        if (Number(input.value) !== value) input.value = value;
        const text = c.show ? c.show(value, state, sayer(name, "")) : chart.show(value);
        one("output", box).textContent = text;
        input.setAttribute("aria-valuetext", text);
      } else if (c.kind === "choice") {
        all("input", box).forEach((input) => { input.checked = input.value === value; });
      } else if (c.kind === "toggle") {
        one("input", box).checked = Boolean(value);
      } else if (c.kind === "pixels") {
        all(".grid64 button", box).forEach((cell, i) => {
          const ink = INKS.indexOf(value[i]);
          cell.style.setProperty("--ink-part", String(ink / 16));
          cell.setAttribute("aria-pressed", String(ink > 7));
        });
      }
    });
  }

  // --- presenting: one picture a screen

  const scenes = () => all(".scene", article(shown.lesson)).filter((s) => !s.closest("details"));
  function present() {
    document.documentElement.classList.toggle("presenting", shown.presenting);
    document.documentElement.classList.toggle("sheeting", shown.sheet);
    one("[data-present]").setAttribute("aria-pressed", String(shown.presenting));
    one("[data-sheet]").setAttribute("aria-pressed", String(shown.sheet));
    const list = scenes();
    shown.scene = Math.min(shown.scene, Math.max(0, list.length - 1));
    all(".scene").forEach((s) => s.classList.remove("on-screen"));
    if (list[shown.scene]) list[shown.scene].classList.add("on-screen");
  }

  // The present lesson as a sheet to print: questions with room, the answers on the last page.
  function toggleSheet() {
    shown.sheet = !shown.sheet;
    shown.presenting = false;
    present();
    dirty.set(shown.lesson, null);
    remember();
    redraw();
  }

  function togglePresenter() {
    shown.presenting = !shown.presenting;
    shown.sheet = false;
    shown.scene = 0;
    present();
    dirty.set(shown.lesson, null);
    remember();
    redraw();
  }

  function go(by) {
    if (shown.presenting) {
      const to = shown.scene + by;
      if (to >= 0 && to < scenes().length) { shown.scene = to; present(); dirty.set(shown.lesson, null); remember(); redraw(); return; }
    }
    const to = data.order[data.order.indexOf(shown.lesson) + by];
    if (!to) return;
    shown.scene = 0;
    history.pushState(null, "", address(to));
    dirty.set(to, null);
    open(to);
    window.scrollTo(0, 0);
    article(to).focus({ preventScroll: true });
  }

  function keys(event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const busy = event.target.closest?.("input, select, textarea, pre, .scroll, .grid64");
    if (busy) return;
    if (event.key === "ArrowRight") { event.preventDefault(); go(1); }
    if (event.key === "ArrowLeft") { event.preventDefault(); go(-1); }
    if (event.key === "p" || event.key === "P") togglePresenter();
    if (event.key === "Escape" && shown.presenting) togglePresenter();
  }

  function printable() {
    if (shown.sheet) return;
    drawAll = true;
    data.order.forEach((name) => { build(name); article(name).hidden = false; dirty.set(name, null); drawNow(name); });
  }

  function start() {
    all("[data-speak]").forEach((b) => b.addEventListener("click", () => { speak(b.dataset.speak); remember(); open(shown.lesson); }));
    one("[data-present]").addEventListener("click", togglePresenter);
    one("[data-sheet]").addEventListener("click", toggleSheet);
    document.addEventListener("keydown", keys);
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      const name = link && link.getAttribute("href").slice(1);
      if (!name || !data.order.includes(name)) return;
      event.preventDefault();
      if (name !== shown.lesson) { history.pushState(null, "", address(name)); dirty.set(name, null); open(name); }
      if (window.innerWidth < 1152) one("nav.map details").removeAttribute("open");
      window.scrollTo(0, 0);
      article(name).focus({ preventScroll: true });
    });
    window.addEventListener("popstate", restore);
    window.addEventListener("hashchange", restore);
    window.addEventListener("beforeprint", printable);
    window.addEventListener("afterprint", () => { drawAll = false; open(shown.lesson); });
    if (window.innerWidth < 1152) one("nav.map details").removeAttribute("open");
    let width = window.innerWidth;
    window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; dirty.set(shown.lesson, null); redraw(); } });
    restore();
  }

  return { start, change, stateOf, shown, address };
})();

