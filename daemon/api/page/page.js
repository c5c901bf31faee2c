// What is known, and when it is drawn.
import { get, lines, post, rights, stream } from './ask.js';
import { $, clock, day, el, lasting, text } from './dom.js';
import { hindsight } from './hindsight.js';
import * as panels from './panels.js';

const mostPoints = 4000; // kept; then every second of the older half goes
const mostValues = 8;
const statusEvery = 3000;
const drawEvery = 250;
const lookEvery = 2000; // attention, while somebody looks

const live = { points: [], arrived: 0, status: undefined, model: undefined, attention: undefined, latency: undefined };
const link = { stream: false, status: false, since: performance.now(), ever: false };
let file; // the recording that is shown: {name, points, labels, at, error, looked}

/* Live */

function take(r, age = 0) {
  const t = r.time ? Date.parse(r.time) : Date.now();
  const last = live.points[live.points.length - 1];
  if (last && (t < last.t || r.boot_id !== last.r.boot_id || r.seq === last.r.seq)) {
    if (r.seq === last.r.seq && r.mono_ns === last.r.mono_ns) return;
    if (t < last.t) live.points = []; // the clock was set, or another recording is replayed
  }
  if (r.values?.length > mostValues) r.values.length = mostValues; // an embedding, say
  live.points.push({ t, r });
  if (live.points.length > mostPoints) {
    live.points = live.points.filter((_, i) => i > mostPoints / 2 || i % 2);
  }
  live.arrived = performance.now() - 1000 * age;
  draw();
  look();
}

let looked = 0;

// look asks where the answer looked, for those who see it.
async function look() {
  if (!live.status?.model || document.hidden || file || performance.now() - looked < lookEvery) return;
  looked = performance.now();
  try {
    live.attention = await get('v1/attention');
  } catch {
    live.attention = undefined;
  }
  draw();
}

async function poll() {
  try {
    const status = await get('v1/status');
    const before = live.status;
    const changed = !link.status || status.model?.digest !== before?.model?.digest || status.uptime_s < before?.uptime_s;
    live.status = status;
    link.status = true;
    if (changed) await meet(status);
    else if (status.record?.segments !== before?.record?.segments) list();
    live.latency = document.hidden ? live.latency : await latency();
  } catch {
    link.status = false;
  }
  draw();
  setTimeout(poll, document.hidden ? 5 * statusEvery : statusEvery);
}

// meet asks a daemon that was not known what it is.
async function meet(status) {
  live.model = status.model && (await get('v1/model'));
  live.attention = undefined;
  offer(live.model?.config?.head?.labels ?? []);
  const r = await get('v1/result');
  const recordings = await list();
  if (!r) return;
  live.points = await past(recordings.find((f) => f.open), Date.parse(r.time));
  take(r, status.last_result_age_s ?? (r.time_quality === 'recorded' ? 0 : Math.max(0, (r.received - Date.parse(r.time)) / 1000 || 0)));
}

// past is what the recording at work has of the hour before a moment.
async function past(recording, now) {
  if (!recording || !now) return live.points;
  try {
    const from = new Date(now - 3600000).toISOString();
    const { all } = await lines(`v1/recordings/${recording.file}/results?from=${from}&every=10s`);
    return toPoints(all).filter((p) => p.t < (live.points[0]?.t ?? now)).concat(live.points);
  } catch {
    return live.points;
  }
}

const toPoints = (all) => all.filter((x) => !x.labelled).map((r) => ({ t: Date.parse(r.time), r })).filter((p) => p.t);

// latency is the mean time of a decision so far.
async function latency() {
  const reply = await fetch('metrics', { cache: 'no-store', signal: AbortSignal.timeout(statusEvery) });
  const body = await reply.text();
  const of = (name) => Number(body.match(new RegExp(`^ragedge_inference_duration_seconds_${name} (.*)$`, 'm'))?.[1]);
  const mean = of('sum') / of('count');
  return Number.isFinite(mean) ? mean : undefined;
}

/* Drawing */

let due = 0;

function draw() {
  due ||= setTimeout(() => {
    due = 0;
    requestAnimationFrame(paint);
  }, drawEvery);
}

const shortest = 5 * 60000; // of what a chart shows

const minutes = () => Number(document.querySelector('#spans input:checked').value);

function paint() {
  const s = live.status, lost = !link.stream || !link.status;
  const shown = $('link');
  shown.dataset.state = lost ? (link.ever ? 'down' : 'wait') : s.state;
  const age = live.arrived ? (performance.now() - live.arrived) / 1000 : undefined;
  const last = age === undefined ? '' : `, last answer ${lasting(age)} ago`;
  text(shown, lost ? (link.ever ? `Connection lost${last}` : 'Connecting') : s.state === 'up' ? 'Live' : `Live, ${s.state}`);
  link.ever ||= !lost;
  notices(s, lost);
  document.body.dataset.mode = file ? 'file' : 'live';
  $('player').hidden = !file;
  if (file) paintFile();
  else paintLive(s, lost, age);
  if (!s) return;
  text($('model'), s.model?.name ?? 'no model');
  document.title = `${file ? 'Recording' : lost ? 'Connection lost' : $('label').textContent} · ragedge`;
  panels.sensors(lost ? s.sensors.map((x) => ({ ...x, state: 'unknown', reason: 'connection lost' })) : s.sensors ?? []);
  panels.machine(s, live.latency);
  panels.recording(s.record);
  if (lost && s.record) {
    $('rec').dataset.state = 'wait';
    text($('rec'), 'Recording unknown');
  }
  allow(s, lost);
}

function paintLive(s, lost, age) {
  const last = live.points[live.points.length - 1];
  const stale = lost || s?.state === 'down';
  panels.answer(last?.r, { age, lost: lost && link.ever, stale, waiting: s?.reason ? 'No answer yet' : '…' });
  const view = { to: last?.t ?? Date.now() };
  const begin = live.points[0]?.t ?? view.to;
  view.from = Math.max(view.to - 60000 * minutes(), Math.min(begin, view.to - shortest));
  panels.why(last?.r, live.points, view, stale);
  panels.readings(last?.r, live.points, view, stale);
  panels.heat(live.attention, stale);
}

function notices(s, lost) {
  const words = lost ? '' : s.state === 'up' ? '' : s.reason;
  const now = $('notices').firstChild;
  if (!words) now?.remove();
  else if (now?.textContent !== words) $('notices').replaceChildren(el('p', { class: 'notice', 'data-state': s.state }, words));
  else now.dataset.state = s.state;
}

/* Labels and recording */

let offered = '';

// offer makes a button for every label.
function offer(labels) {
  if (offered === labels.join('\n') && $('labels').childElementCount === labels.length) return;
  offered = labels.join('\n');
  $('labels').replaceChildren(...labels.map((label) => el('button', { type: 'button', 'data-label': label, 'aria-pressed': 'false', onclick: () => say({ label }) }, label)));
}

const why = {
  no: 'Changes and downloads are not possible at this address, because nothing here says who may: use the Unix socket (ragedge label, ragedge record), or set api.token_file.',
  login: 'Changes and downloads need a token: the browser asks for a password, and any user name will do.',
};

// allow lets the buttons work that can.
function allow(s, lost) {
  const may = rights.changes !== 'no' && !lost;
  for (const b of document.querySelectorAll('#true button, #true input')) b.disabled = !may || !s.record;
  for (const b of document.querySelectorAll('[data-fetch]')) b.disabled = !may;
  $('start').disabled ||= Boolean(s.record?.active);
  $('stop').disabled ||= !s.record?.active;
  $('end').disabled ||= !s.record?.label;
  for (const b of $('labels').children) b.setAttribute('aria-pressed', String(b.dataset.label === s.record?.label));
  text($('rights'), lost ? 'Nothing can be done while the connection is lost.' : (why[rights.changes] ?? ''));
}

async function order(path, body, done) {
  delete $('done').dataset.state;
  text($('done'), '…');
  try {
    await post(path, body);
    text($('done'), done);
    live.status = (await get('v1/status')) ?? live.status;
  } catch (e) {
    $('done').dataset.state = 'down';
    text($('done'), `Not done: ${e.message}`);
  }
  draw();
}

const say = (l) => order('v1/label', { ...l, source: 'dashboard' }, l.end ? 'The label has ended.' : `Labelled ${l.label}.`);

$('other').onsubmit = (event) => {
  event.preventDefault();
  const label = $('text').value.trim();
  if (label) say({ label }).then(() => { $('text').value = ''; });
};
$('end').onclick = () => say({ end: true });
$('start').onclick = () => order('v1/record', { on: true }, 'Recording.');
$('stop').onclick = () => order('v1/record', { on: false }, 'Stopped.').then(list);

/* Recordings */

async function list() {
  try {
    const { recordings } = await get('v1/recordings');
    panels.files(recordings, show);
    draw();
    return recordings;
  } catch (e) {
    $('files').replaceChildren(el('li', {}, el('span'), `Not listed: ${e.message}`));
    return [];
  }
}

$('more').onclick = list;
$('files').addEventListener('click', (event) => {
  const name = event.target.dataset?.fetch;
  if (name) location.assign(`v1/recordings/${name}`);
});

// show reads a recording and shows its first moment.
async function show(f) {
  text($('done'), '');
  try {
    const { all, error } = await lines(`v1/recordings/${f.file}/results`);
    const points = toPoints(all);
    if (!points.length) throw new Error(error || 'it holds no readings and no answers');
    const labels = all.filter((x) => x.labelled).map(({ labelled: l }) => ({ label: l.label, from: Date.parse(l.from), to: l.to ? Date.parse(l.to) : undefined }));
    labels.forEach((l, i) => { l.to ??= labels.slice(i + 1).find((next) => next.from >= l.from)?.from; });
    file = { name: f.file, points, labels, at: 0, error, looked: hindsight(f.file, draw) };
    $('seek').max = String(points.length - 1);
    $('seek').value = '0';
    paint();
    scrollTo(0, 0);
    $('seek').focus();
  } catch (e) {
    $('done').dataset.state = 'down';
    text($('done'), `${f.file} cannot be shown: ${e.message}`);
  }
}

function paintFile() {
  const { points, labels, at } = file;
  const now = points[at], first = points[0].t, last = points[points.length - 1].t;
  const answered = points.slice(0, at + 1).findLast((p) => p.r.modalities)?.r;
  const truth = labels.findLast((l) => l.from <= now.t && (!l.to || now.t < l.to))?.label;
  text($('player-file'), `${file.name}, ${day(first)} to ${day(last)}${file.error ? `. Not all of it: ${file.error}` : ''}`);
  const words = `${clock(now.t)}${truth ? ` · true: ${truth}` : ''}`;
  text($('seek-time'), words);
  $('seek').setAttribute('aria-valuetext', `${words}${answered?.label ? `, answer ${answered.label}` : ''}`);
  panels.answer(answered ?? now.r, {});
  const view = { from: first, to: last, at: now.t, truth: labels.length ? labels : undefined };
  panels.why(answered, points, view);
  panels.readings(now.r, points, view);
  const then = file.looked(answered, live.status?.model?.digest);
  panels.heat(then.attention, false, then.note);
}

$('seek').oninput = () => {
  file.at = Number($('seek').value);
  requestAnimationFrame(paint);
};
$('live').onclick = () => {
  stop();
  file = undefined;
  paint();
  $('main').focus();
};

let playing;

function stop() {
  clearInterval(playing);
  playing = undefined;
  text($('play'), 'Play');
}

$('play').onclick = () => {
  if (playing) return stop();
  text($('play'), 'Pause');
  if (file.at >= file.points.length - 1) file.at = 0;
  playing = setInterval(() => {
    if (!file || file.at >= file.points.length - 1) return stop();
    $('seek').value = String(++file.at);
    paint();
  }, 100);
};

/* Begin */

for (const input of document.querySelectorAll('#spans input')) input.onchange = draw;
$('share-table').ontoggle = draw;
addEventListener('resize', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
setInterval(draw, 1000); // ages
stream(take, (there) => {
  link.stream = there;
  draw();
});
poll();
