// Draws the plots from the tables of the page, so that both always tell the same.
"use strict";

(() => {
  const DAY = 86400;
  const HEIGHT = 220;
  const drawn = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;
  const day = (time) => new Date(time * 1000).toISOString().slice(0, 10);
  const rows = (table) => [...document.querySelectorAll(`#${table} tbody tr`)];

  function column(table, place, factor) {
    return rows(table).map((row) => {
      const value = row.querySelectorAll("td")[place].dataset.value;
      return value === "" ? null : Number(value) * factor;
    });
  }

  function axis(more) {
    const line = { stroke: colour("line"), width: 1 };
    return { stroke: colour("soft"), font: font(), grid: line, ticks: line, ...more };
  }

  function line(label, name, dash, unit) {
    return {
      label,
      stroke: colour(name),
      width: 2,
      dash,
      spanGaps: true,
      points: { size: 5, fill: colour(name) },
      value: (_plot, value) => (value === null ? "–" : `${Math.round(value * 10) / 10}${unit}`),
    };
  }

  // The marker of a series in the legend is drawn as its line is.
  const legend = {
    markers: { dash: (plot, place) => ({ 8: "dashed", 3: "dotted", 1: "dotted" })[(plot.series[place].dash || [])[0]] || "solid" },
  };
  const whole = [1, 2, 5].flatMap((each) => [1, 10, 100, 1000, 10000, 100000].map((power) => each * power)).sort((a, b) => a - b);
  const fromZero = (_plot, _min, max) => [0, Math.max(1, max || 0) * 1.08];

  function overDays(series, places, factor) {
    const times = rows("days").map((row) => Number(row.dataset.day));
    return {
      data: [times, ...places.map((place) => column("days", place, factor))],
      options: {
        legend,
        tzDate: (time) => window.uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
        scales: {
          x: { range: (_plot, min, max) => [min - DAY / 2, max + DAY / 2] },
          y: { range: fromZero },
        },
        series: [{ label: "Day", value: (_plot, time) => (time === null ? "–" : day(time)) }, ...series],
        axes: [
          axis({
            incrs: [1, 2, 7, 14, 28, 56, 112].map((days) => days * DAY),
            space: 60,
            values: (_plot, times) => times.map((time) => day(time).slice(5)),
          }),
          axis({ size: 48, ...(factor === 1 ? { incrs: whole } : {}) }),
        ],
      },
    };
  }

  const PLOTS = {
    counts: () => overDays([
      line("handed in", "accent", [], ""),
      line("approved", "good", [8, 3], ""),
      line("rejected", "bad", [3, 3], ""),
      line("skipped", "edge", [1, 4], ""),
    ], [0, 1, 2, 3], 1),
    times: () => overDays([
      line("first touch, median", "accent", [], " h"),
      line("first touch, 9 of 10", "accent", [3, 3], " h"),
      line("decision, median", "warn", [], " h"),
      line("decision, 9 of 10", "warn", [3, 3], " h"),
    ], [5, 6, 7, 8], 1 / 3600),
    ages: () => {
      const names = rows("ages").map((row) => row.querySelector("th").textContent.replace(" to ", " to\n"));
      return {
        data: [names.map((_name, place) => place), column("ages", 0, 1)],
        options: {
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false, range: [-0.6, names.length - 0.4] }, y: { range: fromZero } },
          series: [{}, {
            label: "cases",
            fill: colour("accent"),
            width: 0,
            points: { show: false },
            paths: window.uPlot.paths.bars({ size: [0.6, 64] }),
          }],
          axes: [
            axis({ splits: () => names.map((_name, place) => place), values: () => names, grid: { show: false }, space: 1 }),
            axis({ size: 48, incrs: whole }),
          ],
        },
      };
    },
  };

  function draw() {
    for (const plot of drawn.splice(0)) plot.destroy();
    const figures = [...document.querySelectorAll("[data-plot]")];
    for (const figure of figures) figure.hidden = false; // all of them first: they share the width
    for (const figure of figures) {
      const place = figure.querySelector(".plot");
      const { data, options } = PLOTS[figure.dataset.plot]();
      drawn.push(new window.uPlot({ width: place.clientWidth, height: HEIGHT, ...options }, data, place));
    }
  }

  function fit() {
    for (const plot of drawn) {
      const width = plot.root.parentElement.clientWidth;
      if (width && width !== plot.width) plot.setSize({ width, height: HEIGHT });
    }
  }

  if (!document.getElementById("days")) return;
  draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  window.addEventListener("resize", fit);
})();
