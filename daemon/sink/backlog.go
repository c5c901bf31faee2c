package sink

import (
	"slices"
	"time"

	"github.com/ragedge/ragedge/result"
)

// backlog holds a bounded number of Results in buffers that it reuses, and knows
// which of them matter. A change is a Result whose label, reason or set of usable
// modalities differs from the one before it; every other Result is a repeat.
//
// When it is full it thins out the repeats evenly: it keeps every second, then
// every fourth, and so on, by sequence number, so that what is left still spans
// the whole time. Changes stay. Only when no repeat is left does the oldest change
// go, and is counted as dropped. The newest Result is never the one to go.
type backlog struct {
	ring   []held
	first  int           // index of the oldest
	n      int           // how many there are
	stride uint64        // repeats are kept at its multiples
	before result.Result // the newest that was put in

	thinned, dropped int64
}

// held is a Result on its way to a broker.
type held struct {
	result  result.Result
	change  bool
	offline bool // the broker could not be reached when it came
	at      time.Time
}

// maxStride ends the thinning of repeats whose sequence numbers are too even.
const maxStride = 1 << 40

func newBacklog(size int) *backlog {
	return &backlog{ring: make([]held, size), stride: 1}
}

// at returns the i-th, the oldest being 0.
func (b *backlog) at(i int) *held { return &b.ring[(b.first+i)%len(b.ring)] }

// put takes a copy of r in.
func (b *backlog) put(r *result.Result, offline bool) {
	change := !sameState(r, &b.before)
	r.CopyTo(&b.before)
	if b.n > 0 && b.spare(b.at(b.n-1)) { // it was kept only as the newest
		b.n--
		b.thinned++
	}
	if b.n == len(b.ring) {
		b.makeRoom()
	}
	h := b.at(b.n)
	r.CopyTo(&h.result)
	h.change, h.offline, h.at = change, offline, time.Now()
	b.n++
}

// full says whether putting another in would cost one.
func (b *backlog) full() bool { return b.n == len(b.ring) }

// spare says whether h is a repeat that the stride passes over.
func (b *backlog) spare(h *held) bool { return !h.change && h.result.Seq%b.stride != 0 }

// makeRoom removes at least one.
func (b *backlog) makeRoom() {
	full := b.n
	for repeats := b.repeats(); repeats && b.n == full && b.stride < maxStride; {
		b.stride *= 2
		b.thin()
	}
	if b.n == full {
		b.first = (b.first + 1) % len(b.ring)
		b.n--
		b.dropped++
	}
}

func (b *backlog) repeats() bool {
	for i := range b.n {
		if !b.at(i).change {
			return true
		}
	}
	return false
}

// thin removes the repeats that the stride passes over.
func (b *backlog) thin() {
	kept := 0
	for i := range b.n {
		h := b.at(i)
		if b.spare(h) {
			b.thinned++
			continue
		}
		if to := b.at(kept); to != h {
			*to, *h = *h, *to // the buffers change places
		}
		kept++
	}
	b.n = kept
}

// discard removes everything up to a number: it is kept elsewhere.
func (b *backlog) discard(upTo uint64) {
	for b.n > 0 && b.at(0).result.Seq <= upTo {
		b.first = (b.first + 1) % len(b.ring)
		b.n--
	}
	if b.n == 0 {
		b.stride = 1
	}
}

// take swaps the oldest with h, whose buffers the backlog uses again. Once all
// are taken it keeps every repeat again.
func (b *backlog) take(h *held) bool {
	if b.n == 0 {
		return false
	}
	oldest := b.at(0)
	*h, *oldest = *oldest, *h
	b.first = (b.first + 1) % len(b.ring)
	b.n--
	if b.n == 0 {
		b.stride = 1
	}
	return true
}

// sameState says whether two Results agree in what somebody would act on.
func sameState(a, b *result.Result) bool {
	return a.Label == b.Label && a.Reason == b.Reason &&
		slices.EqualFunc(a.Modalities, b.Modalities, func(x, y result.Modality) bool {
			return x.Name == y.Name && x.Present == y.Present && x.Reason == y.Reason
		})
}
