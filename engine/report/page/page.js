(() => {
  "use strict";
  const root = document.documentElement;
  const payload = JSON.parse(document.getElementById("payload").textContent);
  const PRINT_WIDTH = { wide: 680, half: 327, third: 210 };
  const PRINT_HEIGHT = 0.68;
  const DAY = 86400000;

  // What is packed is base64 of gzip: the drawing library, tables to be kept.
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
  };
  const library = unpack(document.getElementById("library").textContent).then((blob) => blob.text()).then((source) => {
    const script = document.createElement("script");
    script.textContent = source;
    document.head.append(script);
  });

  const stored = () => { try { return localStorage.getItem("plimsoll-theme"); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem("plimsoll-theme", theme); } catch { /* private window */ } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const preferred = () => stored() || (system.matches ? "dark" : "light");

  const colours = () => {
    const style = getComputedStyle(root);
    return (role) => style.getPropertyValue("--" + role).trim();
  };

  // Shared columns of dates come as a first day and the days from each to the next.
  const axes = {};
  Object.entries(payload.axes).forEach(([name, axis]) => {
    let day = Date.parse(axis.first);
    const days = axis.first === undefined ? [] : [day, ...axis.gaps.map((gap) => (day += gap * DAY))];
    axes[name] = days.map((one) => new Date(one).toISOString().slice(0, 10));
  });
  const placed = (axis, gaps) => {
    let at = 0;
    return gaps === undefined ? axis : gaps.map((gap) => axis[(at += gap)]);
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
  const dated = axes.start || [];
  const fewDates = dated.length > 0 && dated.length < 4 ? { tickmode: "array", tickvals: dated, tickformat: "%Y-%m-%d" } : {};

  const logScale = new Set();
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
      yaxis: { ...axis, ...own.yaxis, title: { font: { size: 11 }, standoff: 8, ...(own.yaxis || {}).title }, ...(logScale.has(key) ? { type: "log", tickformat: ".3~g", dtick: own.logtick } : {}) },
      ...extra,
    };
  };

  const drawn = new Set();
  const draw = (key, extra = {}) => {
    if (!globalThis.Plotly) return library.then(() => draw(key, extra));
    const box = document.getElementById(key);
    const colour = colours();
    const data = payload.figures[key].data.map((trace) => {
      const done = resolve(trace, colour);
      if (typeof trace.x === "string") done.x = placed(axes[trace.x], trace.at);
      delete done.at;
      return done;
    });
    drawn.add(key);
    return Plotly.react(box, data, layoutOf(key, colour, extra), { displaylogo: false, responsive: true, displayModeBar: false });
  };

  // A figure is drawn when it comes near the window: a page of a hundred opens as fast as one of five.
  const keys = Object.keys(payload.figures);
  const boxOf = (key) => document.getElementById(key);
  const near = new IntersectionObserver((seen) => seen.forEach(({ target, isIntersecting }) => {
    if (!isIntersecting) return;
    near.unobserve(target);
    draw(target.id);
  }), { rootMargin: "300px 0px" });

  const button = document.getElementById("theme");
  const setTheme = (theme) => {
    root.dataset.theme = theme;
    const other = theme === "dark" ? "light" : "dark";
    button.textContent = other;
    button.setAttribute("aria-label", "Switch to the " + other + " theme");
    button.setAttribute("aria-pressed", String(theme === "dark"));
    drawn.forEach((key) => draw(key));
  };
  button.addEventListener("click", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    store(next);
    setTheme(next);
  });
  system.addEventListener("change", () => { if (!stored()) setTheme(preferred()); });

  document.querySelectorAll("[data-log]").forEach((toggle) => {
    const key = toggle.dataset.log;
    if (toggle.getAttribute("aria-pressed") === "true") logScale.add(key);
    toggle.addEventListener("click", () => {
      if (!logScale.delete(key)) logScale.add(key);
      toggle.setAttribute("aria-pressed", String(logScale.has(key)));
      draw(key);
    });
  });

  // One figure with several faces: a choice puts another list of traces into it.
  document.querySelectorAll("select[data-figure]").forEach((choice) => {
    const figure = payload.figures[choice.dataset.figure];
    const show = () => { figure.data = figure.faces[Number(choice.value)]; };
    choice.addEventListener("change", () => { show(); draw(choice.dataset.figure); });
    show();
  });

  document.querySelectorAll("button[data-file]").forEach((save) => {
    save.addEventListener("click", async () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await unpack(payload.files[save.dataset.file]));
      link.download = save.dataset.file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    });
  });

  document.querySelectorAll("[data-unfold]").forEach((toggle) => {
    const boxes = () => [...document.querySelectorAll(toggle.dataset.unfold)];
    toggle.addEventListener("click", () => {
      const open = toggle.getAttribute("aria-pressed") !== "true";
      boxes().forEach((box) => { box.open = open; });
      toggle.setAttribute("aria-pressed", String(open));
      toggle.textContent = open ? "fold all" : "unfold all";
    });
  });
  // A link to something folded away opens it.
  const reveal = () => {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    for (let box = target; box; box = box.parentElement) if (box.tagName === "DETAILS") box.open = true;
  };
  addEventListener("hashchange", reveal);

  // What is folded stays folded on paper.
  const printed = () => keys.filter((key) => !boxOf(key).closest("details:not([open])"));
  let before = null;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    printed().forEach((key) => {
      const box = boxOf(key);
      const card = box.closest(".card");
      const height = Math.round(parseInt(box.dataset.height, 10) * PRINT_HEIGHT);
      near.unobserve(box);
      box.style.height = height + "px";
      const width = card.classList.contains("wide") ? PRINT_WIDTH.wide : card.parentElement.classList.contains("three") ? PRINT_WIDTH.third : PRINT_WIDTH.half;
      draw(key, { width, height, autosize: false, font: { size: 9, color: "#444" } });
    });
  });
  addEventListener("afterprint", () => {
    keys.forEach((key) => { const box = boxOf(key); box.style.height = box.dataset.height + "px"; });
    if (before) setTheme(before);
  });

  globalThis.plimsoll = { payload, draw, axes };
  setTheme(preferred());
  keys.forEach((key) => near.observe(boxOf(key)));
  reveal();
})();
