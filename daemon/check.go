package daemon

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
)

// Check reports everything in c that is wrong without touching hardware, the
// network or the model: one error that wraps ErrConfig and names every key.
func (c *Config) Check() error {
	var all []error
	add := func(key string, err error) {
		if err != nil {
			all = append(all, fmt.Errorf("%w: %s: %w", ErrConfig, key, err))
		}
	}
	add("agent", c.Agent.check())
	switch tick := c.Features.Tick; {
	case len(c.Features.Modalities) > 0:
		add("features", c.Features.Check())
	case tick < 0: // alone it is the time between readings
		add("features", fmt.Errorf("tick: %v is not positive", tick.Std()))
	}
	add("sensor", c.checkSensors())
	for i := range c.Sinks {
		add(fmt.Sprintf("sink %d", i+1), c.Sinks[i].Check())
	}
	add("sink", c.checkBrokers())
	add("api", c.API.Check())
	add("record", c.Record.Check())
	return errors.Join(all...)
}

// checkBrokers refuses two sinks that would take each other's place on a broker.
func (c *Config) checkBrokers() error {
	type place struct{ url, topic string }
	taken, spills := map[place]int{}, map[string]int{}
	for i := range c.Sinks {
		s := &c.Sinks[i]
		if s.Type != sink.KindMQTT {
			continue
		}
		at := place{s.URL, s.Topic}
		if other, twice := taken[at]; twice {
			return fmt.Errorf("%d: the same url and topic as sink %d: give one of them another topic", i+1, other)
		}
		taken[at] = i + 1
		if s.Spill == "" {
			continue
		}
		if other, twice := spills[s.Spill]; twice {
			return fmt.Errorf("%d: the same spill directory as sink %d: give one of them another", i+1, other)
		}
		spills[s.Spill] = i + 1
	}
	return nil
}

// CheckFiles reports what is wrong with the files that sensors, sinks and the API need, a password above
// all. A file may be missing only where c is checked for another machine.
func (c *Config) CheckFiles() error {
	var all []error
	for i := range c.Sensors {
		if err := c.Sensors[i].CheckFiles(); err != nil {
			all = append(all, fmt.Errorf("%w: sensor %d (%s): %w", ErrConfig, i+1, c.Sensors[i].Alias, err))
		}
	}
	for i := range c.Sinks {
		if err := c.Sinks[i].CheckFiles(); err != nil {
			all = append(all, fmt.Errorf("%w: sink %d: %w", ErrConfig, i+1, err))
		}
	}
	if err := c.API.CheckFiles(); err != nil {
		all = append(all, fmt.Errorf("%w: api: %w", ErrConfig, err))
	}
	return errors.Join(all...)
}

// mostThreads is more than any board has cores.
const mostThreads = 64

func (a *Agent) check() error {
	if a.Trigger != TriggerTick && a.Trigger != TriggerPush {
		return fmt.Errorf("trigger: unknown value %q (known: %s, %s)", a.Trigger, TriggerTick, TriggerPush)
	}
	if a.Throttle != ThrottleStepDown && a.Throttle != ThrottleIgnore {
		return fmt.Errorf("throttle: unknown value %q (known: %s, %s)", a.Throttle, ThrottleStepDown, ThrottleIgnore)
	}
	if a.Threads < 1 || a.Threads > mostThreads {
		return fmt.Errorf("threads: %d, want 1 to %d", a.Threads, mostThreads)
	}
	return errors.Join(checkInfluence(a.Influence), a.checkSteady())
}

// checkSensors checks every block by itself and then what only all of them show:
// names used twice, channels with two sources, and recordings beside live
// sensors, whose times have nothing to do with each other.
func (c *Config) checkSensors() error {
	var all []error
	aliases, channels, places := map[string]bool{}, map[string]string{}, map[string]string{}
	recorded, live := "", ""
	for i := range c.Sensors {
		s := &c.Sensors[i]
		name := fmt.Sprintf("%d (%s)", i+1, s.Alias)
		if err := s.Check(); err != nil {
			all = append(all, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if aliases[s.Alias] {
			all = append(all, fmt.Errorf("%s: alias %s is used twice", name, s.Alias))
		}
		aliases[s.Alias] = true
		for _, channel := range s.ChannelNames() {
			if other, taken := channels[channel]; taken {
				all = append(all, fmt.Errorf("%s: channel %s comes from sensor %s already", name, channel, other))
			}
			channels[channel] = s.Alias
		}
		switch s.Type {
		case sensor.Recorded:
			recorded = s.Alias
		case sensor.Push:
		default:
			live = s.Alias
			if place := s.Place(); place != "" {
				if other, taken := places[place]; taken {
					all = append(all, fmt.Errorf("%s: %s is sensor %s's already", name, place, other))
				}
				places[place] = s.Alias
			}
		}
	}
	if recorded != "" && live != "" {
		all = append(all, fmt.Errorf("replay sensor %s beside live sensor %s: a recording has its own time; use one or the other", recorded, live))
	}
	return errors.Join(all...)
}

// Warnings lists what c leaves out that its model or features ask for; the
// daemon runs all the same, with those modalities masked.
func (c *Config) Warnings() []string {
	sources := map[string]bool{}
	for i := range c.Sensors {
		for _, channel := range c.Sensors[i].ChannelNames() {
			sources[channel] = true
		}
	}
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(c.Features.Modalities)) {
		for _, channel := range c.Features.Modalities[name].Channels {
			if !sources[channel] && !c.openEnded() {
				warnings = append(warnings, fmt.Sprintf("modality %s: no sensor delivers channel %s, so it stays masked", name, channel))
			}
		}
	}
	for i := range c.Sensors {
		if s := &c.Sensors[i]; s.Type == sensor.GPIO && s.Label != "" && !c.Record.On() {
			warnings = append(warnings, fmt.Sprintf("sensor %s: label: nothing is recorded, so pressing it does nothing: set record.when", s.Alias))
		}
	}
	if c.Record.When == record.Trigger && c.Agent.Model == "" {
		warnings = append(warnings, "record.when: without a model no answer changes, so nothing triggers the recording")
	}
	return warnings
}

// openEnded is true when some sensor's channels are known only once it runs.
func (c *Config) openEnded() bool {
	for i := range c.Sensors {
		if len(c.Sensors[i].ChannelNames()) == 0 {
			return true
		}
	}
	return len(c.Sensors) == 0
}
