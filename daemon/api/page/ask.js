// What the page asks of the daemon.

const patience = 5000;

// rights says whether the daemon lets this page change anything: yes, login or no.
export const rights = { changes: 'yes' };

// get returns the JSON of a path, or undefined where the daemon has none now.
export async function get(path, within = patience) {
  const reply = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(within) });
  rights.changes = reply.headers.get('Ragedge-Changes') ?? 'yes';
  if (reply.status === 503) return undefined;
  if (!reply.ok) throw new Error(await reason(reply));
  const body = await reply.json();
  const date = Date.parse(reply.headers.get('Date'));
  if (path === 'v1/result') body.received = date;
  return body;
}

// post sends an order, and fails with the daemon's own words.
export async function post(path, order) {
  const reply = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(order) });
  if (!reply.ok) throw new Error(await reason(reply));
}

async function reason(reply) {
  try {
    return (await reply.json()).error;
  } catch {
    return `the daemon answered ${reply.status}`;
  }
}

// lines returns the JSON lines of a path. An error among them ends them.
export async function lines(path) {
  const reply = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(60000) });
  if (!reply.ok) throw new Error(await reason(reply));
  const all = [];
  let error = '';
  for (const line of (await reply.text()).split('\n')) {
    if (!line) continue;
    const one = JSON.parse(line);
    if (one.error && one.mono_ns === undefined) error = one.error;
    else all.push(one);
  }
  return { all, error };
}

const again = 3000; // until the stream is asked for anew

// stream calls taken with every Result, and changed with whether there is a stream.
export function stream(taken, changed) {
  const source = new EventSource('v1/stream');
  source.onopen = () => changed(true);
  source.onmessage = (event) => taken(JSON.parse(event.data));
  source.onerror = () => {
    changed(false);
    if (source.readyState !== EventSource.CLOSED) return; // it tries by itself
    setTimeout(() => stream(taken, changed), again);
  };
}
