package encoder

import (
	"sort"
	"time"
)

// maxSamples bounds the samples one window keeps of one channel: 1.5 MiB, eleven
// minutes at 100 Hz. Beyond it the oldest is dropped and counted.
const maxSamples = 1 << 16

// point is a sample in a series. value is what the functions see: raw, or raw less
// the baseline.
type point struct {
	at         time.Duration
	raw, value float64
}

// series holds the samples of one channel, oldest first, those of one moment in
// the order in which they came. It is a ring that grows by doubling up to
// maxSamples and never shrinks.
type series struct {
	ring    []point // a power of two long
	head, n int
}

// at returns the i-th oldest sample, 0 ≤ i < n.
func (s *series) at(i int) *point { return &s.ring[(s.head+i)&(len(s.ring)-1)] }

// upTo returns the number of samples at or before a moment.
func (s *series) upTo(moment time.Duration) int {
	return sort.Search(s.n, func(i int) bool { return s.at(i).at > moment })
}

// insert puts p in its place, after those of the same moment, and returns its
// index. There must be room: n < maxSamples.
func (s *series) insert(p point) int {
	if s.n == len(s.ring) {
		s.grow()
	}
	i := s.n
	s.n++
	for ; i > 0 && s.at(i-1).at > p.at; i-- {
		*s.at(i) = *s.at(i - 1)
	}
	*s.at(i) = p
	return i
}

func (s *series) grow() {
	ring := make([]point, max(16, 2*len(s.ring)))
	for i := range s.n {
		ring[i] = *s.at(i)
	}
	s.ring, s.head = ring, 0
}

// drop forgets the oldest sample.
func (s *series) drop() {
	s.head = (s.head + 1) & (len(s.ring) - 1)
	s.n--
}
