// The parts of the page, each drawn from what is known at the moment.
import { $, bytes, clock, day, el, hue, lasting, number, percent, signed, text } from './dom.js';
import { shares, spark } from './chart.js';

// answer shows a Result. age is in seconds, undefined in a recording.
export function answer(r, { age, lost, waiting, stale }) {
  $('answer').classList.toggle('stale', Boolean(stale));
  const values = r?.values?.map(number).join(', ');
  let said = r?.label ?? values;
  if (said === undefined) said = !r ? waiting : r.reason ? 'No answer' : r.modalities ? 'No answer' : 'Collecting';
  text($('label'), said.length > 80 ? `${said.slice(0, 80)}…` : said);
  const sure = r?.label && r.probabilities?.[r.label];
  const parts = [];
  if (Number.isFinite(sure)) parts.push(`${percent(sure)} sure`);
  if (r?.raw_label) parts.push(`now more like ${r.raw_label}`);
  if (r?.reason) parts.push(r.reason);
  if (r && !r.modalities) parts.push('no model is loaded: readings are collected and published');
  text($('sure'), parts.join(' · '));
  $('sure').classList.toggle('much', Number.isFinite(sure));
  let when = r?.time ? `${clock(r.time)}` : '';
  if (lost && r) when = `Connection lost. Last answer ${lasting(age)} ago, at ${when}.`;
  else if (stale && r) when = `Old: last answer ${lasting(age)} ago, at ${when}.`;
  else if (age !== undefined && r) when = `${age < 2 ? 'Just now' : `${lasting(age)} ago`} · ${when}`;
  text($('when'), when);
  // One who listens hears changes, and not every number.
  const news = lost ? 'Connection lost' : r ? `${said}${parts.length && r.label !== said ? `, ${parts[0]}` : ''}` : '';
  if (news && $('said').dataset.news !== news) {
    $('said').dataset.news = news;
    text($('said'), Number.isFinite(sure) && !lost ? `${news}, ${percent(sure)} sure` : news);
  }
  probabilities(r?.probabilities ?? {});
}

const mostBars = 6;

function probabilities(all) {
  const order = Object.entries(all);
  const shown = order.length > mostBars ? order.sort((a, b) => b[1] - a[1]).slice(0, mostBars) : order;
  $('probabilities').replaceChildren(...(shown.length > 1 ? shown : []).map(([label, p]) => bar(label, p)));
}

function bar(label, p) {
  const fill = el('i');
  fill.style.width = `${100 * p}%`;
  return el('li', {}, el('span', {}, label), el('span', { class: 'track', 'aria-hidden': 'true' }, fill), el('b', {}, percent(p)));
}

// why shows the part of each modality, now and over time.
export function why(r, points, view, stale) {
  const names = Object.keys(r?.modalities ?? points.findLast((p) => p.r.modalities)?.r.modalities ?? {});
  $('why').hidden = !names.length;
  $('why').classList.toggle('stale', Boolean(stale));
  if (!names.length) return;
  const inside = points.filter((p) => p.r.modalities && p.t >= view.from && p.t <= view.to);
  shares($('chart'), inside, names, view);
  $('chart').setAttribute('aria-label', `Shares over time, ${inside.length} answers. The list below has those of now, the table all.`);
  $('modalities').replaceChildren(...names.map((name, i) => modality(name, i, r?.modalities?.[name], r?.conflict ?? [])));
  if ($('share-table').open) table($('share-table').querySelector('table'), inside, names);
}

function modality(name, i, m, conflict) {
  const swatch = el('span', { class: 'swatch', 'aria-hidden': 'true' });
  swatch.style.background = `var(--${hue(i)})`;
  const notes = [];
  if (m?.effect !== undefined && m.present) notes.push(`effect ${signed(m.effect)}`);
  if (m?.reason) notes.push(m.present ? `doubtful: ${m.reason}` : m.reason);
  if (m?.age_s > 0 && m.present) notes.push(`${lasting(m.age_s)} old`);
  const disagrees = conflict.includes(name) ? el('em', {}, 'without it the answer would be another') : undefined;
  const small = el('small', {}, notes.join(' · '), notes.length && disagrees ? ' · ' : '', disagrees);
  const row = el('li', {}, swatch, el('span', { class: m && !m.present ? 'off' : '' }, name), el('span', {}, m?.present ? percent(m.share) : 'absent'));
  if (notes.length || disagrees) row.append(small);
  return row;
}

const mostRows = 60;

function table(into, points, names) {
  const head = el('tr', {}, ...['Time', 'Answer', ...names].map((n, i) => el('th', { scope: 'col', class: i > 1 ? 'number' : '' }, n)));
  const rows = points.slice(-mostRows).reverse().map(({ t, r }) => el('tr', {},
    el('td', {}, clock(t)), el('td', {}, r.label ?? r.reason ?? ''),
    ...names.map((n) => el('td', { class: 'number' }, r.modalities?.[n]?.present ? percent(r.modalities[n].share) : '–'))));
  into.replaceChildren(el('caption', { class: 'hidden' }, 'Shares over time, newest first'), el('thead', {}, head), el('tbody', {}, ...rows));
}

// heat shows where in its regions an answer looked, and a note about that or about why
// it is not known.
export function heat(a, stale, note = '') {
  $('heat').hidden = a ? a.attention.length < 2 : !note;
  $('heat').classList.toggle('stale', Boolean(stale));
  $('heat-map').hidden = !a;
  text($('heat-note'), note);
  if ($('heat').hidden || !a) return;
  const cell = (x, most) => {
    const td = el('td', {}, String(Math.round(100 * x)));
    td.style.background = `color-mix(in srgb, var(--accent) ${Math.round((40 * x) / most)}%, var(--soft))`; // still easy to read on
    return td;
  };
  const strongest = Math.max(...a.attention.flat());
  const head = el('tr', {}, el('th', { scope: 'col' }, 'Region'), ...a.attention.map((_, r) => el('th', { scope: 'col' }, String(r + 1))));
  const rows = a.modalities.map((name, m) => el('tr', {}, el('th', { scope: 'row' }, name), ...a.attention.map((row) => cell(row[m], strongest))));
  const counts = el('tr', {}, el('th', { scope: 'row' }, 'counted'), ...a.region.map((x) => cell(x, Math.max(...a.region))));
  $('heat-table').classList.toggle('dense', a.attention.length > 16);
  $('heat-table').replaceChildren(el('thead', {}, head), el('tbody', {}, ...rows, counts));
}

// readings shows the newest value of every channel.
export function readings(r, points, view, stale) {
  const all = Object.entries(r?.readings ?? {});
  $('readings').hidden = !all.length;
  $('readings').classList.toggle('stale', Boolean(stale));
  const known = [...$('reading-table').querySelectorAll('tr[data-channel]')];
  if (known.map((row) => row.dataset.channel).join('\n') !== all.map(([name]) => name).join('\n')) {
    $('reading-table').replaceChildren(
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'Channel'), el('th', { scope: 'col', class: 'number' }, 'Value'),
        el('th', { scope: 'col' }, 'Age'), el('th', { scope: 'col' }, el('span', { class: 'hidden' }, 'Over time')))),
      el('tbody', {}, ...all.map(([name]) => el('tr', { 'data-channel': name }, el('th', { scope: 'row' }, name), el('td', { class: 'number' }),
        el('td'), el('td', { class: 'spark' }, el('canvas', { 'aria-hidden': 'true' }))))));
  }
  all.forEach(([name, v], i) => {
    const [, value, age, picture] = $('reading-table').tBodies[0].rows[i].cells;
    text(value, v.reason ? '–' : number(v.value));
    age.className = v.reason ? '' : 'short';
    text(age, v.reason ? v.reason : v.age_s === undefined ? '' : lasting(v.age_s));
    spark(picture.firstChild, points, name, view);
  });
}

const states = { up: 'works', probing: 'not heard of yet', degraded: 'degraded', down: 'down', wedged: 'hangs' };

// sensors shows how each sensor does.
export function sensors(all) {
  const rows = all.map((s) => {
    const notes = [s.reason, s.last_success_age_s === undefined ? 'no reading yet' : `last reading ${lasting(s.last_success_age_s)} ago`];
    if (s.errors) notes.push(`${s.errors} of ${s.reads + s.errors} reads failed`);
    if (s.out_of_range) notes.push(`${s.out_of_range} values out of range`);
    return el('li', { 'data-state': s.state }, el('span', { class: 'dot', 'aria-hidden': 'true' }),
      el('span', {}, s.alias, ' ', el('span', { class: 'quiet' }, s.type)), el('span', {}, states[s.state] ?? s.state),
      el('small', {}, notes.filter(Boolean).join(' · ')));
  });
  $('sensors').replaceChildren(...(rows.length ? rows : [el('li', {}, el('span'), 'No sensors are configured.')]));
}

const clocks = { ntp: 'kept right by NTP', unsynced: 'not set by anything', backfilled: 'dated anew', recorded: 'that of a recording' };

// machine shows what the daemon takes and what it runs on.
export function machine(s, latency) {
  const facts = [
    ['Decision', !s.model || latency === undefined ? 'none yet' : `${number(latency * 1000)} ms on average`],
    ['Decisions', `${s.decisions}${s.missed ? `, ${s.missed} missed` : ''}${s.skipped ? `, ${s.skipped} skipped` : ''}`],
    ['Memory', bytes(s.rss_bytes)],
    ['Clock', clocks[s.time_quality] ?? s.time_quality],
    ['Running for', lasting(s.uptime_s)],
    ['Kernels', s.kernel_set],
    ['Version', s.version],
  ];
  if (s.power) {
    const heat = s.power.temperature_c ? `${number(s.power.temperature_c)} °C` : '';
    facts.push(['Power', [(s.power.degraded ?? []).join(', ') || 'fine', heat].filter(Boolean).join(' · ')]);
  }
  for (const k of s.sinks ?? []) facts.push([`To ${k.type}`, k.last_error || `${k.written} sent${k.dropped ? `, ${k.dropped} lost` : ''}`]);
  $('machine').replaceChildren(...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value || '–')]));
}

// recording says what is recorded, in the header and beside the buttons.
export function recording(rec) {
  const size = rec && `${bytes(rec.bytes)} written`;
  let state = 'off', words = 'Not recording', more = 'Nothing is recorded here: the configuration has no [record] table with when or flight.';
  if (rec?.last_error) [state, words, more] = ['degraded', 'Recording paused', `${rec.last_error}. It goes on by itself when the disk does. ${size}.`];
  else if (rec?.over_budget) [state, words, more] = ['degraded', 'Recording paused', `What may be written in a day is used up. ${size}.`];
  else if (rec?.active) [state, words, more] = ['rec', `Recording · ${bytes(rec.bytes)}`, `On. ${size}, ${rec.records} records.`];
  else if (rec) [state, words, more] = ['off', `Recording off · ${bytes(rec.bytes)}`, `Off. ${size}. Labels are kept all the same.`];
  if (rec?.dropped) more += ` ${rec.dropped} records are lost.`;
  $('rec').dataset.state = state;
  text($('rec'), words);
  text($('rec-text'), more);
  $('running').replaceChildren(...(rec?.label ? ['Labelled ', el('strong', {}, rec.label)] : ['No label holds.']));
}

// files lists recordings.
export function files(all, show) {
  const rows = all.map((f) => {
    const about = [f.begin ? `${day(f.begin)}, ${lasting((Date.parse(f.end) - Date.parse(f.begin)) / 1000)}` : 'empty', bytes(f.bytes)];
    if (f.labels) about.push(f.labels === 1 ? '1 label' : `${f.labels} labels`);
    const buttons = el('div', { class: 'buttons' }, el('button', { type: 'button', onclick: () => show(f), 'aria-label': `View ${f.file}` }, 'View'));
    if (!f.open) buttons.append(el('button', { type: 'button', 'data-fetch': f.file, 'aria-label': `Download ${f.file}` }, 'Download'));
    return el('li', { 'data-state': f.open ? 'up' : 'off' }, el('span', { class: 'dot', 'aria-hidden': 'true' }), el('span', {}, f.file),
      el('span', { class: 'quiet' }, f.open ? 'being written' : ''), el('small', {}, about.join(' · ')), buttons);
  });
  $('files').replaceChildren(...(rows.length ? rows : [el('li', {}, el('span'), 'There are none.')]));
}

