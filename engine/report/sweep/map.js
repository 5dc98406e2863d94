// The arithmetic of the map: no document, no drawing, so that it can be run on its own.
globalThis.sweepMap = (() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  // Columns as typed arrays; the floats are little-endian whatever the machine.
  const floats = (text) => {
    const raw = bytes(text);
    const view = new DataView(raw.buffer);
    return Float32Array.from({ length: raw.length / 4 }, (_, k) => view.getFloat32(4 * k, true));
  };
  const unpack = (packed) => ({
    ...packed,
    keys: packed.keys.map((key) => ({ ...key, codes: bytes(key.codes) })),
    metrics: packed.metrics.map((metric) => ({ ...metric, values: floats(metric.values) })),
  });

  // `values` ascending, at least one.
  const quantile = (values, share) => {
    const at = share * (values.length - 1);
    const below = Math.floor(at);
    const above = Math.min(below + 1, values.length - 1);
    return values[below] + (at - below) * (values[above] - values[below]);
  };
  const collapse = (values, how, lower) => {
    if (how === "mean") return values.reduce((sum, v) => sum + v, 0) / values.length;
    if (how === "median") return quantile(values, 0.5);
    return (how === "best") === lower ? values[0] : values[values.length - 1];
  };

  // One cell per pair of steps, row by row of y: null where no finished setting with a value falls into it.
  // choice: x, y (null = one row), metric as positions; how; fixed = step by key position, null = all.
  const cells = (sweep, choice) => {
    const metric = sweep.metrics[choice.metric];
    const x = sweep.keys[choice.x];
    const y = choice.y === null ? null : sweep.keys[choice.y];
    const nx = x.labels.length;
    const ny = y ? y.labels.length : 1;
    const kept = Object.entries(choice.fixed).filter(([k, step]) => step !== null && Number(k) !== choice.x && Number(k) !== choice.y);
    const groups = Array.from({ length: nx * ny }, () => []);
    for (let row = 0; row < sweep.n; row += 1) {
      const value = metric.values[row];
      if (Number.isNaN(value) || kept.some(([k, step]) => sweep.keys[k].codes[row] !== step)) continue;
      groups[(y ? y.codes[row] : 0) * nx + x.codes[row]].push(value);
    }
    const done = groups.map((values) => {
      if (!values.length) return null;
      const sorted = Float64Array.from(values).sort();
      return { value: collapse(sorted, choice.how, metric.lower), count: sorted.length, low: sorted[0], high: sorted[sorted.length - 1] };
    });
    return Array.from({ length: ny }, (_, k) => done.slice(k * nx, (k + 1) * nx));
  };
  return { unpack, cells };
})();
