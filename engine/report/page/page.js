(() => {
  "use strict";
  const root = document.documentElement;
  const payload = JSON.parse(document.getElementById("payload").textContent);
  const logScale = new Set();
  const PRINT_WIDTH = { wide: 680, half: 327, third: 210 };
  const PRINT_HEIGHT = 0.68;

  const stored = () => { try { return localStorage.getItem("plimsoll-theme"); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem("plimsoll-theme", theme); } catch { /* private window */ } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const preferred = () => stored() || (system.matches ? "dark" : "light");

  const colours = () => {
    const style = getComputedStyle(root);
    return (role) => style.getPropertyValue("--" + role).trim();
  };

  // Colours are written as "@role", shared date columns as the name of an axis.
  // A long column of numbers or texts is left alone.
  const role = (value) => typeof value === "string" && value.startsWith("@");
  const coloured = (list) => (list[0] !== null && typeof list[0] === "object") || role(list[0]) || role(list[1]);
  const resolve = (value, colour) => {
    if (typeof value === "string") return value.startsWith("@") ? colour(value.slice(1)) : value;
    if (Array.isArray(value)) return coloured(value) ? value.map((v) => resolve(v, colour)) : value;
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v, colour)]));
    return value;
  };

  // Two sessions or fewer: only their dates, not the hours between them.
  const dated = payload.axes.start || [];
  const fewDates = dated.length > 0 && dated.length < 4 ? { tickmode: "array", tickvals: dated, tickformat: "%Y-%m-%d" } : {};

  const layoutOf = (key, colour, extra) => {
    const own = resolve(payload.figures[key].layout, colour);
    const axis = { gridcolor: colour("grid"), zerolinecolor: colour("other"), linecolor: colour("grid"), automargin: true, ticklen: 4, tickcolor: "rgba(0,0,0,0)" };
    return {
      ...own,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif", size: 12, color: colour("soft") },
      margin: { l: 48, r: 10, t: 8, b: 28, ...own.margin },
      hovermode: own.hovermode || "x unified",
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("edge"), font: { color: colour("ink"), size: 12 } },
      legend: { orientation: "h", x: 0, y: 1.0, xanchor: "left", yanchor: "bottom", traceorder: "normal", font: { size: 11.5 } },
      xaxis: { type: "date", ...axis, showgrid: false, ...(own.xaxis ? {} : fewDates), ...own.xaxis },
      yaxis: { ...axis, ...own.yaxis, title: { font: { size: 11 }, standoff: 8, ...(own.yaxis || {}).title }, ...(logScale.has(key) ? { type: "log", tickformat: ".3~g" } : {}) },
      ...extra,
    };
  };

  const draw = (key, extra = {}) => {
    const box = document.getElementById(key);
    const colour = colours();
    const data = payload.figures[key].data.map((trace) => {
      const done = resolve(trace, colour);
      if (typeof trace.x === "string") done.x = payload.axes[trace.x];
      return done;
    });
    const options = { displaylogo: false, responsive: true, displayModeBar: false };
    return Plotly.react(box, data, layoutOf(key, colour, extra), options);
  };

  const keys = Object.keys(payload.figures);
  const drawAll = () => keys.forEach((key) => draw(key));

  const button = document.getElementById("theme");
  const setTheme = (theme) => {
    root.dataset.theme = theme;
    const other = theme === "dark" ? "light" : "dark";
    button.textContent = other;
    button.setAttribute("aria-label", "Switch to the " + other + " theme");
    button.setAttribute("aria-pressed", String(theme === "dark"));
    drawAll();
  };
  button.addEventListener("click", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    store(next);
    setTheme(next);
  });
  system.addEventListener("change", () => { if (!stored()) setTheme(preferred()); });

  document.querySelectorAll("[data-log]").forEach((toggle) => {
    toggle.addEventListener("click", () => {
      const key = toggle.dataset.log;
      if (!logScale.delete(key)) logScale.add(key);
      toggle.setAttribute("aria-pressed", String(logScale.has(key)));
      draw(key);
    });
  });

  let before = null;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    document.querySelectorAll("details").forEach((box) => { box.open = true; });
    keys.forEach((key) => {
      const box = document.getElementById(key);
      const card = box.closest(".card");
      const height = Math.round(parseInt(box.dataset.height, 10) * PRINT_HEIGHT);
      box.style.height = height + "px";
      const width = card.classList.contains("wide") ? PRINT_WIDTH.wide : card.parentElement.classList.contains("three") ? PRINT_WIDTH.third : PRINT_WIDTH.half;
      draw(key, { width, height, autosize: false, font: { size: 9, color: "#444" } });
    });
  });
  addEventListener("afterprint", () => {
    keys.forEach((key) => { const box = document.getElementById(key); box.style.height = box.dataset.height + "px"; });
    if (before) setTheme(before);
  });

  globalThis.plimsoll = { payload, draw };
  setTheme(preferred());
})();
