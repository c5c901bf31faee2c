package encoder

import (
	"slices"
	"time"
)

// baseline subtracts from each sample of a series the running median: that of the
// samples up to and including it, and newer than window before it. The values it
// covers are kept in order, so that a sample costs two binary searches and two
// moves of memory.
type baseline struct {
	window time.Duration
	from   int       // the oldest sample that the newest one's median covers
	sorted []float64 // the raw values from there on
	behind int       // how many of the newest samples are to be computed; from and sorted mean nothing then
}

// update computes the value of the sample just inserted at index i. Behind one that
// came out of order all are others: settle computes them, once for however many came.
func (b *baseline) update(s *series, i int) {
	if b.behind > 0 || i < s.n-1 {
		b.behind = max(b.behind+1, s.n-i)
		return
	}
	b.compute(s, i)
}

// settle computes what samples out of order have left behind.
func (b *baseline) settle(s *series) {
	if b.behind == 0 {
		return
	}
	first := s.n - b.behind
	b.behind = 0
	b.restart(s, first)
	for i := first; i < s.n; i++ {
		b.compute(s, i)
	}
}

// compute computes the value of the sample at index i, the next one to be covered.
func (b *baseline) compute(s *series, i int) {
	p := s.at(i)
	at, _ := slices.BinarySearch(b.sorted, p.raw)
	b.sorted = slices.Insert(b.sorted, at, p.raw)
	for s.at(b.from).at <= p.at-b.window {
		b.remove(s.at(b.from).raw)
		b.from++
	}
	p.value = p.raw - middle(b.sorted)
}

// restart goes back to the state before the sample at index i.
func (b *baseline) restart(s *series, i int) {
	b.from, b.sorted = i, b.sorted[:0]
	for b.from > 0 && s.at(b.from-1).at > s.at(i).at-b.window {
		b.from--
		b.sorted = append(b.sorted, s.at(b.from).raw)
	}
	slices.Sort(b.sorted)
}

// drop tells the baseline that the series is about to drop its oldest sample.
func (b *baseline) drop(s *series) {
	switch {
	case b.behind > 0:
		b.behind = min(b.behind, s.n-1)
	case b.from > 0:
		b.from--
	default:
		b.remove(s.at(0).raw)
	}
}

func (b *baseline) remove(raw float64) {
	i, _ := slices.BinarySearch(b.sorted, raw)
	b.sorted = slices.Delete(b.sorted, i, i+1)
}
