package daemon

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// steady keeps a label until another one has won clearly, and for long enough. It
// counts in moments of the timeline and knows nothing else, so that a replay gives
// the labels of the run.
type steady struct {
	hold   time.Duration // how long another label must win in a row
	margin float32       // and by how much

	label int // that holds; none before the first answer
	rival int // that would win; none when there is not
	since time.Duration
}

const none = -1

func newSteady(a *Agent) steady {
	return steady{hold: a.Hold.Std(), margin: float32(a.Margin), label: none, rival: none}
}

// settle takes in the probabilities of a moment, of which best is the index of the
// largest, and returns the index of the label that holds.
func (s *steady) settle(p []float32, best int, at time.Duration) int {
	switch {
	case s.label == none:
		s.label = best
	case best == s.label || p[best]-p[s.label] < s.margin:
		s.rival = none
	case best != s.rival:
		s.rival, s.since = best, at
	}
	if s.rival != none && at-s.since >= s.hold {
		s.label, s.rival = s.rival, none
	}
	return s.label
}

// forget is for a decision without an answer: the next answer counts at once.
func (s *steady) forget() { s.label, s.rival = none, none }

// adopt goes on where another mind with the same labels has stopped.
func (m *mind) adopt(old *mind) {
	if old == nil || m.task != old.task || !slices.Equal(m.labels, old.labels) {
		return
	}
	m.steady.label, m.steady.rival, m.steady.since = old.steady.label, old.steady.rival, old.steady.since
}

func (a *Agent) checkSteady() error {
	if a.Hold < 0 {
		return errors.New("hold: want a duration of 0 or more")
	}
	if !(a.Margin >= 0 && a.Margin < 1) {
		return fmt.Errorf("margin: %v, want 0 or more and less than 1, as a difference of probabilities", a.Margin)
	}
	return nil
}
