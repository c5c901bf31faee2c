// Where the answers of a recording looked. The daemon computes that when it is asked,
// so it is asked for what is shown alone, and for no more than one at a time.
import { get } from './ask.js';
import { clock } from './dom.js';

const pause = 300; // between two questions, for the daemon's sake
const patience = 20000;
const again = 5000; // until what was not answered is asked for anew

// hindsight of a recording. What it returns says of a Result, given the digest of the
// loaded model, where it looked, in {attention, note}; changed is called when more is known.
export function hindsight(file, changed) {
  const known = new Map(); // attention by seq
  let failed = {}; // the newest failure: {seq, note, at}
  let last, wanted, busy = false;

  async function ask() {
    while (wanted) {
      const { seq, time } = wanted;
      wanted = undefined;
      try {
        last = await get(`v1/recordings/${file}/attention?at=${encodeURIComponent(time)}`, patience);
        if (last) known.set(seq, last);
        else failed = { seq, note: 'Not known: the daemon has no model loaded.', at: performance.now() };
      } catch (e) {
        const why = e.name === 'TimeoutError' ? 'The daemon does not answer' : `The daemon says: ${e.message}`;
        failed = { seq, note: `Not known. ${why}.`, at: performance.now() };
      }
      changed();
      await new Promise((done) => setTimeout(done, pause));
    }
    busy = false;
  }

  return (r, digest) => {
    if (!r?.modalities) return {};
    if (r.reason) return { note: 'There was no answer, so there is nowhere that it looked.' };
    if (!digest) return { note: 'Not known: no model is loaded. It is computed from what was recorded, by the model that answered.' };
    if (r.model !== digest) return { note: 'Not known: the answers are of another model than the one that is loaded.' };
    const attention = known.get(r.seq);
    if (attention) return { attention, note: 'Computed again from what was recorded.' };
    if (failed.seq === r.seq && performance.now() - failed.at < again) return { note: failed.note };
    wanted = r;
    if (!busy) {
      busy = true;
      ask();
    }
    return last ? { attention: last, note: `Of the answer at ${clock(last.time)}; that of this one is being computed.` } : { note: 'Being computed …' };
  };
}
