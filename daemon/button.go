package daemon

import (
	"slices"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
)

// button is a GPIO line that says what is true: a press begins its label, and the
// next press of any button ends it. One of another button begins that one's.
type button struct {
	alias, label string
	level, edges string // channels
	was          bool   // its level at the newest reading
	known        bool   // there was one
}

// buildButtons makes the buttons among the sensors of s; those of blocks that are
// as they were in old go on.
func (s *setup) buildButtons(old *setup) {
	s.buttons = make([]*button, len(s.sensors))
	for i := range s.config.Sensors {
		c := &s.config.Sensors[i]
		if c.Type != sensor.GPIO || c.Label == "" {
			continue
		}
		if old != nil {
			if j := slices.Index(old.sensors, s.sensors[i]); j >= 0 {
				s.buttons[i] = old.buttons[j]
				continue
			}
		}
		level, edges := c.LineChannels()
		s.buttons[i] = &button{alias: c.Alias, label: c.Label, level: level, edges: edges}
	}
}

// presses says how often the line became active since the reading before.
func (b *button) presses(r *sensor.Reading) int {
	level, edges, any := b.was, 0, false
	for _, s := range r.Samples {
		switch s.Channel {
		case b.level:
			level, any = s.Value != 0, true
		case b.edges:
			edges = int(s.Value)
		}
	}
	if !any {
		b.known = b.known && r.Err == nil // edges are lost when the line is opened anew
		return 0
	}
	was := b.was
	if !b.known {
		was = level != (edges%2 == 1) // each edge changes it
	}
	b.was, b.known = level, true
	if was {
		return edges / 2
	}
	return (edges + 1) / 2
}

// press records what the buttons among the sensors say. The lock is held.
func (p *pipeline) press(h *health, r *sensor.Reading) {
	i := slices.Index(p.sensors, h)
	if i < 0 || i >= len(p.buttons) || p.buttons[i] == nil {
		return
	}
	b := p.buttons[i]
	if b.presses(r)%2 == 0 || p.record == nil { // two between readings undo each other
		return
	}
	if p.held == b.label {
		p.held = ""
	} else {
		p.held = b.label
	}
	p.record.MarkNow(r.At, &record.Label{Label: p.held, From: r.At, Source: "button " + b.alias})
}

// release forgets what the buttons said: somebody else has said what is true.
func (p *pipeline) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = ""
}
