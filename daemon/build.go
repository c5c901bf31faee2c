package daemon

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// buildSources opens the recordings, or prepares the buses, and chooses the
// clock that goes with them.
func (d *Daemon) buildSources() error {
	d.system = newSystemClock()
	var clock Clock = d.system
	for _, c := range d.config.Sensors {
		if c.Type != sensor.Recorded {
			continue
		}
		replay, err := sensor.OpenReplay(d.config.Sensors, d.system.Now, d.env.open)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w", ErrConfig, err)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrData, err)
		}
		d.replay = replay
		clock = &recordedClock{start: replay.Start()}
		break
	}
	d.pollers = sensor.NewPollers(d.config.Sensors, d.system.Now, d.env.Hardware)
	d.programs = sensor.NewPrograms(d.config.Sensors, d.system.Now, d.programSays)
	d.pipeline = &pipeline{
		clock:   clock,
		real:    d.system,
		onPush:  d.config.Agent.Trigger == TriggerPush,
		once:    d.env.Once,
		changed: d.sensorChanged,
		inlets:  map[string]inlet{},
	}
	d.pipeline.lastAnswer.Store(-1)
	d.pipeline.lastReading.Store(-1)
	for _, c := range d.config.Sensors {
		d.pipeline.sensors = append(d.pipeline.sensors, &health{alias: c.Alias, kind: c.Type, lastGood: -1})
	}
	return nil
}

// channels returns what one [[sensor]] block delivers.
func (d *Daemon) channels(i int) []string {
	if names := d.config.Sensors[i].ChannelNames(); names != nil || d.replay == nil {
		return names
	}
	return d.replay.Channels(i)
}

// buildModalities connects every modality of the model with the sensors and
// buses that its channels come from.
func (d *Daemon) buildModalities(model *fusion.Model, features encoder.Features) error {
	p := d.pipeline
	p.mind = newMind(model, d.config.Agent.Threads)
	if !p.onPush {
		p.every = features.Tick.Std()
	}
	sources := map[string]int{}
	for i := range d.config.Sensors {
		for _, channel := range d.channels(i) {
			sources[channel] = i
		}
	}
	for _, c := range model.Config.Modalities {
		definition := features.Modalities[c.Name]
		m := &modality{
			name: c.Name, regions: c.Regions, features: c.Features,
			ttl:   defaultTTL,
			stale: "no data for a while",
			data:  make([]float32, c.Regions*c.Features),
		}
		m.pushed.data = make([]float32, c.Regions*c.Features)
		if after := definition.StaleAfter.Std(); after > 0 {
			m.ttl = after
			m.stale = fmt.Sprintf("no data for more than %v", after)
		}
		if definition.Encoder == encoder.Windowed {
			var err error
			if m.window, err = encoder.NewWindow(definition); err != nil {
				return fmt.Errorf("%w: features: modality %s: %w", ErrConfig, c.Name, err)
			}
			d.connect(m, definition.Channels, sources)
		}
		p.modalities = append(p.modalities, m)
	}
	p.inputs = make([]fusion.Regions, len(p.modalities))
	p.result = result.Result{
		BootID:     p.clock.BootID(),
		Labels:     p.mind.labels,
		Model:      model.Digest,
		KernelSet:  d.env.KernelSet,
		Modalities: make([]result.Modality, len(p.modalities)),
	}
	return nil
}

// connect tells m which sensors and buses its channels depend on, and lets
// channels that no sensor delivers be pushed.
func (d *Daemon) connect(m *modality, channels []string, sources map[string]int) {
	p := d.pipeline
	for _, channel := range channels {
		i, ok := sources[channel]
		if !ok {
			p.inlets[channel] = inlet{channel: channel, sensor: -1}
			continue
		}
		m.dependOn(p.sensors[i])
		for _, b := range d.buses {
			if b.has(i) {
				m.watch(b)
			}
		}
	}
}

// buildInlets lets samples be pushed under the names that push sensors list, and
// names the owner of every other channel.
func (d *Daemon) buildInlets() {
	p := d.pipeline
	for i, c := range d.config.Sensors {
		if c.Type == sensor.Push {
			for name, channel := range c.Channels {
				p.inlets[name] = inlet{channel: channel, sensor: i}
			}
			continue
		}
		for _, channel := range d.channels(i) {
			p.inlets[channel] = inlet{channel: channel, sensor: -1, owner: c.Alias}
		}
	}
}
