// Draws each <figure data-chart> from the table within it, with uPlot, in the colours of the style sheet.
(() => {
  "use strict";

  const text = (cell) => cell.textContent.trim();
  const seconds = (iso) => Date.parse(iso.length === 10 ? `${iso}T12:00:00Z` : iso) / 1000;

  const read = (figure) => {
    const rows = [...figure.querySelectorAll("tbody tr")];
    const heads = [...figure.querySelectorAll("thead th")].slice(1);
    const xs = rows.map((row) => seconds(row.querySelector("[data-x]").dataset.x));
    const figures = heads.map((_, at) => rows.map((row) => {
      const value = row.querySelectorAll("[data-y]")[at].dataset.y;
      return value === "" ? null : Number(value);
    }));
    return { heads, data: [xs, ...figures], days: rows.length > 0 && rows[0].querySelector("[data-x]").dataset.x.length === 10 };
  };

  const resolved = (name) => {
    // light-dark() is resolved by the browser, in a property that takes colours.
    const probe = document.createElement("span");
    probe.className = `chart-colour-${name}`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  // A point without neighbours has no line: it is a dot.
  const alone = (chart, at) => {
    const ys = chart.data[at];
    const isThere = (index) => ys[index] !== null && ys[index] !== undefined;
    return [...ys.keys()].filter((index) => isThere(index) && !isThere(index - 1) && !isThere(index + 1));
  };

  const series = (head, kind, unit, locale) => {
    const stroke = resolved(head.dataset.colour);
    const value = (_, y) => (y === null || y === undefined ? "–" : y.toLocaleString(locale) + (unit && ` ${unit}`));
    const faint = stroke.replace("rgb(", "rgba(").replace(")", ", 0.12)");
    const bars = { paths: uPlot.paths.bars({ size: [0.7, 28], radius: 0.15 }), fill: stroke, width: 0, points: { show: false } };
    const line = { fill: faint, width: 2, points: { size: 6, fill: stroke, filter: alone }, spanGaps: false };
    return { label: text(head), stroke, value, ...(kind === "bars" ? bars : line) };
  };

  const axis = (more) => ({
    stroke: resolved("axis"), font: "12px system-ui", grid: { stroke: resolved("grid"), width: 1 },
    ticks: { show: false }, ...more,
  });

  // Bars need half their distance beside the first and the last.
  const roomy = (xs, kind) => (_, low, high) => {
    const room = kind === "bars" && xs.length > 1 ? (xs[1] - xs[0]) / 2 : 0;
    return [low - room, high + room];
  };

  const draw = (figure) => {
    const canvas = figure.querySelector(".chart-canvas");
    const { heads, data, days } = read(figure);
    const { chart: kind, unit, zone } = figure.dataset;
    const locale = document.documentElement.lang;
    const spanDays = (data[0].at(-1) - data[0][0]) / 86400;
    const format = (options) => new Intl.DateTimeFormat(locale, { ...options, timeZone: days ? "UTC" : zone });
    const short = format(days || spanDays > 2 ? { day: "numeric", month: "short" } : { hour: "numeric", minute: "2-digit" });
    const long = format(days ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" });
    const shown = (formatter) => (second) => formatter.format(new Date(second * 1000));
    const chart = new uPlot({
      width: canvas.clientWidth, height: 240,
      cursor: { y: false, points: { size: 7 } },
      legend: { live: true },
      scales: { x: { time: true, range: roomy(data[0], kind) }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.1 : 1] } },
      series: [{ label: text(figure.querySelector("thead th")), value: (_, x) => (x ? shown(long)(x) : "–") },
        ...heads.map((head) => series(head, kind, unit, locale))],
      axes: [axis({ size: 32, values: (_, xs) => xs.map(shown(short)), grid: { show: false }, space: 70 }),
        axis({ size: 52, values: (_, ys) => ys.map((y) => y.toLocaleString(locale, { notation: "compact" })) })],
    }, data, canvas);
    return { fit: () => chart.setSize({ width: canvas.clientWidth, height: 240 }), end: () => chart.destroy() };
  };

  const drawAll = (root) => {
    for (const figure of root.querySelectorAll("figure[data-chart]:not([data-drawn])")) {
      figure.dataset.drawn = "yes";
      let drawn = draw(figure);
      new ResizeObserver(() => drawn.fit()).observe(figure.querySelector(".chart-canvas"));
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
        drawn.end();
        drawn = draw(figure);
      });
    }
  };

  document.addEventListener("DOMContentLoaded", () => drawAll(document));
  document.addEventListener("htmx:load", (event) => drawAll(event.target));
})();
