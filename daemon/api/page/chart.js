// Drawings on canvas. A point is {t, r}: a time in milliseconds and a Result.
import { clock, color, hue } from './dom.js';

// prepare makes a canvas as fine as the screen and returns its context and size.
function prepare(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const g = canvas.getContext('2d');
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, width, height);
  return { g, width, height };
}

// runs splits points where there is none for long, or none that has a value.
function runs(points, has) {
  const gaps = points.slice(1).map((p, i) => p.t - points[i].t).sort((a, b) => a - b);
  const longest = Math.max(5000, 3 * (gaps[gaps.length >> 1] ?? 0));
  const all = [];
  let last;
  for (const p of points) {
    if (!has(p.r)) last = undefined;
    else {
      if (last === undefined || p.t - last > longest) all.push([]);
      all[all.length - 1].push(p);
      last = p.t;
    }
  }
  return all;
}

const strip = 22; // height of a row of answers
const left = 38;
const bottom = 20;

// shares draws the shares as areas on each other, with rows of words above: what was
// answered and, where somebody said so, what was true.
export function shares(canvas, points, names, { from, to, at, truth }) {
  const { g, width, height } = prepare(canvas);
  const quiet = color('quiet'), line = color('line');
  const top = 6 + strip * (truth ? 2 : 1);
  const x = (t) => left + ((t - from) / Math.max(1, to - from)) * (width - left - 1);
  const y = (v) => height - bottom - v * (height - bottom - top);
  g.font = '12px system-ui, sans-serif';
  g.save();
  g.beginPath();
  g.rect(left, 0, width - left, height);
  g.clip();
  for (const run of runs(points, (r) => r.modalities && !r.reason)) {
    let below = run.map(() => 0);
    names.forEach((name, i) => {
      const above = run.map((p, k) => below[k] + (p.r.modalities[name]?.share ?? 0));
      g.beginPath();
      run.forEach((p, k) => g.lineTo(x(p.t), y(above[k])));
      if (run.length === 1) g.lineTo(x(run[0].t) + 2, y(above[0]));
      for (let k = run.length - 1; k >= 0; k--) g.lineTo(x(run[k].t) + (run.length === 1 ? 2 : 0), y(below[k]));
      g.fillStyle = color(hue(i));
      g.fill();
      below = above;
    });
  }
  words(g, spans(points), x, 2);
  if (truth) words(g, truth.map((l) => [l.from, l.to ?? to, l.label]), x, 2 + strip);
  if (at !== undefined) {
    g.fillStyle = color('text');
    g.fillRect(x(at) - 1, 0, 2, height - bottom);
  }
  g.restore();
  g.fillStyle = quiet;
  g.strokeStyle = line;
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  for (const v of [0, 0.5, 1]) {
    g.fillText(`${100 * v}%`, left - 6, y(v));
    if (v === 0) g.strokeRect(left, y(v) + 0.5, width - left, 0);
  }
  g.textBaseline = 'top';
  const ticks = width < 480 ? 2 : 5;
  for (let i = 0; i <= ticks; i++) {
    g.textAlign = i === 0 ? 'left' : i === ticks ? 'right' : 'center';
    g.fillText(clock(from + (i / ticks) * (to - from)).slice(0, 5), left + (i / ticks) * (width - left), height - bottom + 5);
  }
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  if (truth) g.fillText('true', left - 6, 2 + strip + strip / 2 - 2);
}

// spans are the stretches of time that had one answer.
function spans(points) {
  const all = [];
  for (const run of runs(points, (r) => r.label)) {
    for (const p of run) {
      const last = all[all.length - 1];
      if (last && last[2] === p.r.label && p !== run[0]) last[1] = p.t;
      else {
        if (last && p !== run[0]) last[1] = p.t;
        all.push([p.t, p.t, p.r.label]);
      }
    }
  }
  return all;
}

// words writes labels into the stretches of time that they hold in.
function words(g, all, x, y) {
  g.textAlign = 'left';
  g.textBaseline = 'middle';
  for (const [from, to, label] of all) {
    const begin = Math.max(x(from), left), width = x(to) - begin;
    if (!label || width < 1) continue;
    g.fillStyle = color('soft');
    g.fillRect(begin + 0.5, y, Math.max(1, width - 1), strip - 4);
    if (g.measureText(label).width + 10 > width) continue;
    g.fillStyle = color('text');
    g.fillText(label, begin + 6, y + strip / 2 - 2);
  }
}

// spark draws the values of one channel.
export function spark(canvas, points, channel, { from, to, at }) {
  const { g, width, height } = prepare(canvas);
  const value = (r) => r.readings?.[channel]?.value;
  const all = points.filter((p) => p.t >= from && Number.isFinite(value(p.r)));
  if (!all.length) return;
  from = Math.max(from, all[0].t);
  const values = all.map((p) => value(p.r));
  const low = Math.min(...values), high = Math.max(...values);
  const x = (t) => 1 + ((t - from) / Math.max(1, to - from)) * (width - 4);
  const y = (v) => (high > low ? height - 3 - ((v - low) / (high - low)) * (height - 6) : height / 2);
  g.strokeStyle = color('accent');
  g.lineWidth = 1.5;
  g.lineJoin = 'round';
  for (const run of runs(points.filter((p) => p.t >= from), (r) => Number.isFinite(value(r)))) {
    g.beginPath();
    run.forEach((p) => g.lineTo(x(p.t), y(value(p.r))));
    g.stroke();
  }
  const shown = at === undefined ? all[all.length - 1] : all.findLast((p) => p.t <= at);
  if (!shown) return;
  g.fillStyle = color('accent');
  g.beginPath();
  g.arc(x(shown.t), y(value(shown.r)), 2.5, 0, 7);
  g.fill();
}
