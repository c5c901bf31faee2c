package daemon

import (
	"maps"
	"slices"
	"time"

	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
)

// newest keeps the newest value of every channel, for Results that carry
// readings. The pipeline's lock is held during every call.
type newest struct {
	all   []lastValue
	index map[string]int // into all, by channel
}

// lastValue is the newest value of one channel.
type lastValue struct {
	channel string
	sensor  *health   // nil when it is pushed under its own name
	bus     *busWatch // of its sensor; nil for one without
	seen    bool
	value   float64
	at      time.Duration
}

// newNewest looks after every channel that s has a sensor or an inlet for.
func (s *setup) newNewest() *newest {
	channels := map[string]bool{}
	for channel := range s.suppliers {
		channels[channel] = true
	}
	for _, in := range s.inlets {
		channels[in.channel] = true
	}
	n := &newest{index: map[string]int{}}
	for i, channel := range slices.Sorted(maps.Keys(channels)) {
		v := lastValue{channel: channel}
		if sensor, ok := s.suppliers[channel]; ok {
			v.sensor = s.sensors[sensor]
			v.bus = s.busOf(v.sensor)
		}
		n.all = append(n.all, v)
		n.index[channel] = i
	}
	return n
}

// announcedReadings lists the channels that the Results of s carry.
func (s *setup) announcedReadings() (all []sink.Channel) {
	if s.newest == nil {
		return nil
	}
	for _, v := range s.newest.all {
		c := sink.Channel{Name: v.channel}
		if i, ok := s.suppliers[v.channel]; ok {
			c.Unit = s.config.Sensors[i].Unit(v.channel)
		}
		all = append(all, c)
	}
	return all
}

// add takes a sample in. An older one than the newest changes nothing.
func (n *newest) add(s encoder.Sample) {
	if n == nil {
		return
	}
	i, ok := n.index[s.Channel]
	if !ok {
		return
	}
	if v := &n.all[i]; !v.seen || s.At >= v.at {
		v.seen, v.value, v.at = true, s.Value, s.At
	}
}

// read appends the readings of a moment to dst.
func (n *newest) read(at time.Duration, dst []result.Reading) []result.Reading {
	for i := range n.all {
		v := &n.all[i]
		r := result.Reading{Channel: v.channel, Reason: v.broken(at), Age: -1}
		if v.seen {
			r.Age = max(0, at-v.at)
		}
		if r.Reason == "" {
			r.Value = v.value
		}
		dst = append(dst, r)
	}
	return dst
}

// broken says why the value cannot be trusted at a moment, and nothing when it
// can.
func (v *lastValue) broken(at time.Duration) string {
	if v.sensor != nil {
		if reason := v.sensor.broken(); reason != "" {
			return reason
		}
	}
	if v.bus != nil {
		if hangs := v.bus.stuck(at); hangs != "" {
			return hangs
		}
	}
	switch {
	case v.seen:
		return ""
	case v.sensor != nil && v.sensor.reason != "":
		return v.sensor.reason
	}
	return reasonNothing
}

// adopt takes over what old has seen of the channels that still come from the
// same place.
func (n *newest) adopt(old *newest) {
	if n == nil || old == nil {
		return
	}
	for i := range n.all {
		v := &n.all[i]
		if j, ok := old.index[v.channel]; ok && old.all[j].sensor == v.sensor {
			v.seen, v.value, v.at = old.all[j].seen, old.all[j].value, old.all[j].at
		}
	}
}
