package daemon

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// setup is one configuration at work: what New makes of it, and a reload replaces
// as a whole. Once it is in force nothing in it changes but what it points to.
type setup struct {
	config  Config
	replay  *sensor.Replay // nil when live
	sources []*source
	// suppliers says which sensor a channel comes from.
	suppliers map[string]int
	buses     []*busWatch
	wiring
	outputs []*output
	judged  []stage // by the watchdog
	metrics *metrics.Set
}

// build makes a setup of c, up to the point where something outside would notice.
// What c has in common with old, which is nil at the start, it takes over. Errors
// wrap ErrConfig or ErrData.
func (d *Daemon) build(c Config, old *setup) (*setup, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if err := c.CheckFiles(); err != nil && !d.env.Test {
		return nil, err
	}
	sensors, err := sensor.Expand(c.Sensors, d.env.open)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	c.Sensors = sensors
	s := &setup{config: c}
	s.onPush = c.Agent.Trigger == TriggerPush
	s.stepDown = c.Agent.Throttle == ThrottleStepDown
	model, features, err := d.model(c)
	if err != nil {
		return nil, err
	}
	if err := d.buildReplay(s, old); err != nil {
		return nil, err
	}
	for i := range c.Sensors {
		h := old.health(&c.Sensors[i])
		if h == nil {
			h = s.newHealth(i)
		}
		s.sensors = append(s.sensors, h)
	}
	s.suppliers = map[string]int{}
	for i := range s.config.Sensors {
		for _, channel := range s.channels(i) {
			s.suppliers[channel] = i
		}
	}
	d.buildSources(s, old)
	s.inlets = map[string]inlet{}
	if model != nil {
		if err := s.buildModalities(model, features); err != nil {
			return nil, err
		}
		if err := s.tryModel(); err != nil {
			return nil, err
		}
	}
	s.result.KernelSet = d.env.KernelSet
	if model == nil && d.env.OnInputs != nil {
		if err := s.buildWindows(features); err != nil {
			return nil, err
		}
	}
	s.seen = d.env.OnInputs
	s.buildInlets()
	s.buildButtons(old)
	s.buildReadings(model == nil, features.Tick.Std())
	s.asRecorded = s.replay != nil && s.followsTape()
	if d.env.Once && (model == nil || s.onPush) {
		return nil, fmt.Errorf("%w: a single decision needs a model and the trigger tick", ErrConfig)
	}
	return s, nil
}

// health returns what is known of a sensor with this very block, nil without one.
func (s *setup) health(c *sensor.Config) *health {
	if s == nil {
		return nil
	}
	for i := range s.config.Sensors {
		if reflect.DeepEqual(s.config.Sensors[i], *c) {
			return s.sensors[i]
		}
	}
	return nil
}

// newHealth is that of a sensor that nothing is known of.
func (s *setup) newHealth(i int) *health {
	c := &s.config.Sensors[i]
	return &health{alias: c.Alias, kind: c.Type, lastGood: -1, judge: sensor.NewJudge(c)}
}

// buildReplay opens the recordings. A recording has its own time, which cannot
// change while the daemon runs.
func (d *Daemon) buildReplay(s, old *setup) error {
	recorded := false
	for _, c := range s.config.Sensors {
		recorded = recorded || c.Type == sensor.Recorded
	}
	if old != nil && (recorded || old.replay != nil) {
		if !reflect.DeepEqual(s.config.Sensors, old.config.Sensors) {
			return fmt.Errorf("%w: sensor: a replay is not changed while it runs: restart the daemon", ErrConfig)
		}
		s.replay = old.replay
		return nil
	}
	if !recorded {
		return nil
	}
	if s.replay = d.env.replay; s.replay != nil {
		return nil
	}
	replay, err := openReplay(s.config, d.system.Now, d.env)
	if err != nil {
		return err
	}
	if replay.Grouped() {
		err := fmt.Errorf("%w: sensor: group: only ragedge features and ragedge replay play recordings with groups", ErrConfig)
		return errors.Join(err, replay.Close())
	}
	s.replay = replay
	return nil
}

// channels returns what one [[sensor]] block delivers.
func (s *setup) channels(i int) []string {
	if names := s.config.Sensors[i].ChannelNames(); names != nil || s.replay == nil {
		return names
	}
	return s.replay.Channels(i)
}

// buildModalities connects every modality of the model with the sensors and
// buses that its channels come from.
func (s *setup) buildModalities(model *fusion.Model, features encoder.Features) error {
	s.mind = newMind(model, &s.config.Agent)
	if !s.onPush {
		s.every = features.Tick.Std()
	}
	for _, c := range model.Config.Modalities {
		if err := s.addModality(c.Name, c.Regions, c.Features, features.Modalities[c.Name]); err != nil {
			return err
		}
	}
	s.inputs = make([]fusion.Regions, len(s.modalities))
	s.result = result.Result{
		Labels:     s.mind.labels,
		Model:      model.Digest,
		Modalities: make([]result.Modality, len(s.modalities)),
	}
	return nil
}

// addModality adds one of so many regions and features at most.
func (s *setup) addModality(name string, regions, features int, definition encoder.Definition) error {
	m := &modality{
		name: name, regions: regions, features: features,
		definition: definition,
		ttl:        defaultTTL,
		stale:      "no data for a while",
		data:       make([]float32, regions*features),
	}
	m.pushed.data = make([]float32, regions*features)
	if after := definition.StaleAfter.Std(); after > 0 {
		m.ttl = after
		m.stale = fmt.Sprintf("no data for more than %v", after)
	}
	if definition.Encoder == encoder.Windowed {
		var err error
		if m.window, err = encoder.NewWindow(definition); err != nil {
			return fmt.Errorf("%w: features: modality %s: %w", ErrConfig, name, err)
		}
		s.connect(m, definition.Channels)
	}
	s.modalities = append(s.modalities, m)
	return nil
}

// connect tells m which sensors and buses its channels depend on, and lets
// channels that no sensor delivers be pushed.
func (s *setup) connect(m *modality, channels []string) {
	for _, channel := range channels {
		i, ok := s.suppliers[channel]
		if !ok {
			s.inlets[channel] = inlet{channel: channel, sensor: -1}
			continue
		}
		m.dependOn(s.sensors[i])
		if b := s.busOf(s.sensors[i]); b != nil {
			m.watch(b)
		}
	}
}

// buildInlets lets samples be pushed under the names that push sensors list, and
// names the owner of every other channel.
func (s *setup) buildInlets() {
	for i, c := range s.config.Sensors {
		if c.Type == sensor.Push {
			for name, channel := range c.Channels {
				s.inlets[name] = inlet{channel: channel, sensor: i}
			}
			continue
		}
		for _, channel := range s.channels(i) {
			s.inlets[channel] = inlet{channel: channel, sensor: -1, owner: c.Alias}
		}
	}
}

// collectEvery is the time between readings where neither a model nor the
// configuration names a tick.
const collectEvery = 10 * time.Second

// buildReadings lets Results carry readings: as the configuration says with a
// model, and always without one, since there is nothing else to tell then.
func (s *setup) buildReadings(alone bool, tick time.Duration) {
	if s.seen != nil || !alone && !s.config.Agent.Readings {
		return
	}
	s.newest = s.newNewest()
	if alone && !s.onPush {
		s.every = cmp.Or(tick, collectEvery)
	}
}
