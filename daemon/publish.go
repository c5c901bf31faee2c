package daemon

import (
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/result"
)

// thinning lets a sink have the Results that say something new, and in between one
// every so often, as a sign of life. It counts in moments of the timeline. Only the
// pipeline calls it, under its lock; it allocates nothing in steady state.
type thinning struct {
	every time.Duration // a sign of life
	begun bool          // a Result has passed
	at    time.Duration // when the newest did
	known state         // what the sink knows
	held  atomic.Int64  // Results that it did not get
}

// state is what somebody would act on in a Result.
type state struct {
	label, reason string
	parts         []partState
}

type partState struct {
	name, reason      string
	present, conflict bool
}

// passes says whether the sink gets r.
func (t *thinning) passes(r *result.Result) bool {
	news := t.known.update(r)
	if t.begun && !news && r.Mono-t.at < t.every {
		t.held.Add(1)
		return false
	}
	t.begun, t.at = true, r.Mono
	return true
}

// update makes s that of r and reports whether it was another one. A modality whose
// influence r does not say stays in conflict, or not, as it was.
func (s *state) update(r *result.Result) (news bool) {
	news = s.label != r.Label || s.reason != r.Reason || len(s.parts) != len(r.Modalities)
	s.label, s.reason = r.Label, r.Reason
	for len(s.parts) < len(r.Modalities) {
		s.parts = append(s.parts, partState{})
	}
	s.parts = s.parts[:len(r.Modalities)]
	for i := range r.Modalities {
		m := &r.Modalities[i]
		now := partState{m.Name, m.Reason, m.Present, m.Conflict}
		if before := &s.parts[i]; !m.Measured && m.Present && before.present && before.name == m.Name {
			now.conflict = before.conflict
		}
		news = news || now != s.parts[i]
		s.parts[i] = now
	}
	return news
}
