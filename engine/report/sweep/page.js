(() => {
  "use strict";
  const { payload, draw } = globalThis.plimsoll;
  const by = (id) => document.getElementById(id);

  document.querySelectorAll("table.sortable").forEach((table) => {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th").forEach((head, column) => {
      head.firstChild.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") === "descending";
        table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = (row) => (row.cells[column].dataset.sort === "" ? null : Number(row.cells[column].dataset.sort));
        [...body.rows]
          .map((row) => [value(row), row])
          .sort(([a], [b]) => (a === null) - (b === null) || (up ? a - b : b - a))
          .forEach(([, row]) => body.append(row));
      });
    });
  });

  if (!payload.figures.map) return;
  const sweep = globalThis.sweepMap.unpack(payload.sweep);
  const FORMATS = { percent: ".2%", ratio: ",.2f", bps: ",.1f", count: ",.0f", usd: ",.0f" };
  const MAX_TEXTS = 260;
  const MAX_TICKS = 24;
  const plain = document.createElement("textarea");
  const text = (label) => { plain.innerHTML = label; return plain.value; };
  const shown = (value, kind) => {
    const digits = { percent: 2, ratio: 2, bps: 1 }[kind] || 0;
    const number = kind === "percent" ? value * 100 : value;
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return number.toLocaleString("en-US", options).replace("-", "−") + (kind === "percent" ? "%" : "");
  };

  const start = sweep.y === null ? [sweep.x] : [sweep.x, sweep.y];
  const choice = { x: start[0], y: start.length > 1 ? start[1] : null, metric: 0, how: "median", fixed: {} };

  const axis = (key) => {
    const most = key.labels.some((label) => label.length > 8) ? MAX_TICKS / 2 : MAX_TICKS;
    const step = Math.ceil(key.labels.length / most);
    const at = key.labels.map((_, k) => k).filter((k) => k % step === 0);
    return { type: "linear", tickvals: at, ticktext: at.map((k) => key.labels[k]), title: { text: key.name, standoff: 10 }, zeroline: false, showgrid: false };
  };
  const told = (cell, metric, where) => {
    const range = cell.count > 1 ? `<br>${shown(cell.low, metric.kind)} to ${shown(cell.high, metric.kind)}` : "";
    return `${where}<br><b>${metric.title} ${shown(cell.value, metric.kind)}</b>${range}<br>${cell.count} setting${cell.count > 1 ? "s" : ""}`;
  };

  // Zero in the middle of the colours where the metric has both signs, the whole range of the cells otherwise.
  const colours = (values, metric) => {
    const low = Math.min(...values), high = Math.max(...values);
    const sides = low < 0 && high > 0;
    const reach = Math.max(-low, high);
    const range = sides ? [-reach, reach] : [low, high > low ? high : low + 1];
    return { zmin: range[0], zmax: range[1], colorscale: [[0, "@low"], [0.5, "@mid"], [1, "@high"]], reversescale: metric.lower };
  };

  const heat = (grid, x, y, metric) => {
    const flat = grid.flat().filter((cell) => cell !== null);
    const few = grid.length * grid[0].length <= MAX_TEXTS && grid[0].length <= 16;
    const each = (make) => grid.map((row, j) => row.map((cell, i) => (cell === null ? null : make(cell, i, j))));
    const where = (i, j) => `${x.name} ${x.labels[i]}, ${y.name} ${y.labels[j]}`;
    return {
      data: [{
        type: "heatmap", z: each((cell) => cell.value), hovertext: each((cell, i, j) => told(cell, metric, where(i, j))), hoverinfo: "text",
        ...(few ? { text: each((cell) => shown(cell.value, metric.kind)), texttemplate: "%{text}", textfont: { size: 11.5 } } : {}),
        ...colours(flat.map((cell) => cell.value), metric), xgap: 2, ygap: 2,
        colorbar: { thickness: 12, outlinewidth: 0, tickformat: FORMATS[metric.kind], title: { text: metric.title, side: "right" } },
      }],
      layout: { hovermode: "closest", xaxis: axis(x), yaxis: { ...axis(y), tickformat: "" }, margin: { l: 56, r: 10, t: 12, b: 44 } },
    };
  };

  const curve = (row, x, metric) => {
    const at = row.map((_, k) => k).filter((k) => row[k] !== null);
    const style = x.ordered
      ? { type: "scatter", mode: "lines+markers", line: { color: "@account", width: 2 }, marker: { color: "@account", size: 7 } }
      : { type: "bar", marker: { color: "@account" } };
    return {
      data: [{ ...style, x: at, y: at.map((k) => row[k].value), hovertext: at.map((k) => told(row[k], metric, `${x.name} ${x.labels[k]}`)), hoverinfo: "text" }],
      layout: { hovermode: "closest", xaxis: axis(x), yaxis: { tickformat: FORMATS[metric.kind], title: { text: metric.title } }, showlegend: false, margin: { l: 56, r: 10, t: 12, b: 44 } },
    };
  };

  const sentence = (grid, x, y, metric) => {
    const found = grid.flatMap((row, j) => row.map((cell, i) => ({ cell, i, j }))).filter((one) => one.cell !== null);
    if (!found.length) return "No finished setting matches this choice.";
    found.sort((a, b) => b.cell.value - a.cell.value);
    const place = ({ cell, i, j }) => text(`${shown(cell.value, metric.kind)} at ${x.name} ${x.labels[i]}` + (y ? `, ${y.name} ${y.labels[j]}` : ""));
    const blank = grid.flat().length - found.length;
    return `${text(metric.title)}: highest ${place(found[0])}; lowest ${place(found[found.length - 1])}.` + (blank ? ` Blank: no finished setting there.` : "");
  };

  const show = () => {
    const x = sweep.keys[choice.x], y = choice.y === null ? null : sweep.keys[choice.y], metric = sweep.metrics[choice.metric];
    const grid = globalThis.sweepMap.cells(sweep, choice);
    const words = sentence(grid, x, y, metric);
    const some = grid.flat().some((cell) => cell !== null);
    payload.figures.map = !some ? { data: [], layout: {} } : y ? heat(grid, x, y, metric) : curve(grid[0], x, metric);
    const several = grid.flat().some((cell) => cell !== null && cell.count > 1);
    by("map-how").disabled = !several;
    by("map").setAttribute("aria-label", `${y ? "Heat map" : "Chart"}. ${words}`);
    by("map-told").textContent = words;
    by("t-map").textContent = text(`${metric.title}${several ? `, ${choice.how} over the other keys` : ""}: ${x.name}` + (y ? ` × ${y.name}` : ""));
    document.querySelectorAll(".fixed").forEach((box) => { const key = Number(box.dataset.key); box.hidden = key === choice.x || key === choice.y; });
    draw("map");
  };

  const listen = (id, take) => { const box = by(id); if (box) box.addEventListener("change", () => { take(box.value); show(); }); };
  // The same key on both axes says nothing: choosing the other axis's key swaps the two.
  const place = (mine, other) => (value) => {
    const before = choice[mine];
    choice[mine] = Number(value);
    if (choice[other] === choice[mine]) choice[other] = before;
    by("map-x").value = choice.x;
    by("map-y").value = choice.y;
  };
  listen("map-metric", (value) => { choice.metric = Number(value); });
  listen("map-how", (value) => { choice.how = value; });
  listen("map-x", place("x", "y"));
  listen("map-y", place("y", "x"));
  sweep.keys.forEach((_, k) => { choice.fixed[k] = null; listen("map-fix-" + k, (value) => { choice.fixed[k] = value === "" ? null : Number(value); }); });
  show();
})();
