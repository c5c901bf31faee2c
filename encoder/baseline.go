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
}

// update computes the value of the sample just inserted at index i, and of those
// after it again, which matters only when it came out of order.
func (b *baseline) update(s *series, i int) {
	if i < s.n-1 {
		b.restart(s, i)
	}
	for ; i < s.n; i++ {
		p := s.at(i)
		at, _ := slices.BinarySearch(b.sorted, p.raw)
		b.sorted = slices.Insert(b.sorted, at, p.raw)
		for s.at(b.from).at <= p.at-b.window {
			b.remove(s.at(b.from).raw)
			b.from++
		}
		p.value = p.raw - middle(b.sorted)
	}
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
	if b.from > 0 {
		b.from--
		return
	}
	b.remove(s.at(0).raw)
}

func (b *baseline) remove(raw float64) {
	i, _ := slices.BinarySearch(b.sorted, raw)
	b.sorted = slices.Delete(b.sorted, i, i+1)
}
