// Small helpers. Text from the daemon gets into the page as text, never as markup.

export const $ = (id) => document.getElementById(id);

// el makes an element: properties first, then children, which are elements or texts.
export function el(name, properties = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (key in e && typeof value !== 'string') e[key] = value;
    else e.setAttribute(key, value);
  }
  e.append(...children.filter((c) => c !== undefined && c !== null));
  return e;
}

// text changes what an element says, if it says something else.
export function text(e, words) {
  if (e.textContent !== words) e.textContent = words;
}

export const percent = (x) => (Number.isFinite(x) ? `${Math.round(100 * x)} %` : '–');

export function signed(x) {
  const size = Math.abs(x).toFixed(2);
  return size === '0.00' ? '0' : `${x < 0 ? '−' : '+'}${size}`;
}

// number shows a value with as many digits as help.
export function number(x) {
  if (!Number.isFinite(x)) return '–';
  const digits = Math.abs(x) >= 1000 ? 0 : Math.abs(x) >= 100 ? 1 : Math.abs(x) >= 1 ? 2 : 3;
  return String(Number(x.toFixed(digits)));
}

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  if (n < 1 << 20) return `${(n / 1024).toFixed(1)} KiB`;
  return `${(n / (1 << 20)).toFixed(1)} MiB`;
}

// lasting says how long some seconds are.
export function lasting(s) {
  if (s < 120) return `${Math.max(0, Math.round(s))} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}

export const clock = (t) => new Date(t).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

export const day = (t) => new Date(t).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short', hour12: false });

export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export const hue = (i) => `m${i % 8}`;
