package daemon

import (
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// Reasons for a masked modality that no sensor gave.
const (
	reasonNothing = "no data yet"
	reasonEmpty   = "its sender saw nothing"
)

// modality is one modality on its way into the model: the window over its
// samples, the regions another process may have pushed, and the sensors it
// depends on.
type modality struct {
	name     string
	regions  int             // N_m
	features int             // d_m
	window   *encoder.Window // nil when its regions are only ever pushed
	sensors  []*health
	buses    []*busWatch
	// definition is what its window was made of.
	definition encoder.Definition
	pushed     pushed
	ttl        time.Duration // of pushed regions that bring none
	stale      string        // the reason when its samples are too old

	data      []float32     // [regions, features], what the window writes
	hangs     string        // the reason when a bus hung at the newest decision
	hung      string        // the same, as a recording tells it of the next one
	masked    atomic.Int64  // decisions without it
	effect    atomic.Uint64 // bits of the newest effect that was measured
	conflicts atomic.Int64  // measured decisions that its masking would have changed
}

// pushed is what another process last sent for a modality.
type pushed struct {
	set  bool // something was sent
	data []float32
	rows int           // 0: the sender saw nothing
	at   time.Duration // when it was true
	ttl  time.Duration
}

// fresh says whether what was sent counts at a moment.
func (p *pushed) fresh(at time.Duration) bool { return p.set && at-p.at <= p.ttl }

// gather fills in, the model's input for the tick at, and out, the modality's
// part of the Result. Regions that were pushed and are still fresh go before
// the window. It allocates nothing.
func (m *modality) gather(at time.Duration, in *fusion.Regions, out *result.Modality) {
	m.hangs = ""
	*in = fusion.Regions{}
	*out = result.Modality{Name: m.name}
	var data []float32
	data, out.Rows, out.Age = m.rows(at)
	out.Reason = m.reason(at, out)
	if out.Present = out.Reason == ""; !out.Present {
		out.Rows = 0
		return
	}
	out.Reason = m.doubt(at)
	*in = fusion.Regions{Rows: out.Rows, Features: m.features, Data: data}
}

// rows returns the regions at a moment and the age of their oldest channel, -1
// when there never was anything.
func (m *modality) rows(at time.Duration) (data []float32, rows int, age time.Duration) {
	age = -1
	switch {
	case m.pushed.fresh(at):
		data, rows = m.pushed.data, m.pushed.rows
		age = max(0, at-m.pushed.at)
	case m.window != nil:
		data = m.data
		rows, age = m.window.Regions(at, data)
	case m.pushed.set:
		age = at - m.pushed.at
	}
	return data[:rows*m.features], rows, age
}

// reason says why the modality cannot be used at a moment, and nothing when it
// can: a sensor or a bus that failed goes before data that it delivered earlier,
// but not before data that somebody else pushed.
func (m *modality) reason(at time.Duration, out *result.Modality) string {
	pushed := m.pushed.fresh(at)
	if broken := m.broken(at); broken != "" && !pushed {
		return broken
	}
	switch {
	case out.Rows > 0:
		return ""
	case pushed:
		return reasonEmpty
	case out.Age < 0:
		return m.silent()
	}
	return m.stale
}

// broken says why none of the modality's samples can be trusted now: a sensor
// that is down, or a bus that hangs. It is empty when all is well.
func (m *modality) broken(at time.Duration) string {
	for _, h := range m.sensors {
		if reason := h.broken(); reason != "" {
			return reason
		}
	}
	for _, b := range m.buses {
		if m.hangs = b.stuck(at); m.hangs != "" {
			return m.hangs
		}
	}
	return m.hung
}

// doubt says what is wrong with samples that are used all the same, "" for nothing.
func (m *modality) doubt(at time.Duration) string {
	if m.pushed.fresh(at) {
		return ""
	}
	for _, h := range m.sensors {
		if doubt := h.doubt(); doubt != "" {
			return doubt
		}
	}
	return ""
}

// silent is the reason when no channel ever delivered: the failure of a sensor
// that is still trying, or that there was nothing yet.
func (m *modality) silent() string {
	for _, h := range m.sensors {
		if h.reason != "" {
			return h.reason
		}
	}
	return reasonNothing
}

// adopt takes over what old, the same modality of an earlier setup, has seen, if
// both look at the same samples. The pipeline's lock is held.
func (m *modality) adopt(old *modality) {
	m.masked.Store(old.masked.Load())
	m.conflicts.Store(old.conflicts.Load())
	if m.regions != old.regions || m.features != old.features {
		return
	}
	m.pushed = old.pushed
	if m.window != nil && reflect.DeepEqual(m.definition, old.definition) && slices.Equal(m.sensors, old.sensors) {
		m.window = old.window
	}
}

// dependOn makes m need a sensor, once.
func (m *modality) dependOn(h *health) {
	if !slices.Contains(m.sensors, h) {
		m.sensors = append(m.sensors, h)
	}
}

// watch makes m need a bus, once.
func (m *modality) watch(b *busWatch) {
	if !slices.Contains(m.buses, b) {
		m.buses = append(m.buses, b)
	}
}
