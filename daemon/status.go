package daemon

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
)

// Live returns nil while every stage keeps its time. It takes no lock: a stuck
// pipeline cannot keep it from saying so.
func (d *Daemon) Live() error {
	_, err := d.lateStages()
	return err
}

// freshness is how many ticks, and how much on top, a decision or a sample stays
// fresh for.
const (
	freshTicks     = 2
	freshAllowance = 5 * time.Second
	// freshSample is how long one sample keeps a daemon without a model ready, at least.
	freshSample = time.Minute
)

// Ready returns nil while answers are fresh; while samples are, where there is
// no model to answer with; and always when only pushes decide, since nothing is
// owed before one comes.
func (d *Daemon) Ready() error {
	p, s := d.pipeline, d.current.Load()
	last, limit, what := p.lastAnswer.Load(), freshTicks*s.every+freshAllowance, "answer"
	switch {
	case s.mind == nil:
		last, limit, what = p.lastReading.Load(), s.silence(), "sample"
	case s.every == 0:
		return nil
	}
	if last < 0 {
		return fmt.Errorf("%w: no %s yet", api.ErrNotReady, what)
	}
	if age := p.clock.Now() - time.Duration(last); age > limit {
		return fmt.Errorf("%w: the last %s is %v old", api.ErrNotReady, what, age.Round(time.Millisecond))
	}
	return nil
}

// silence is how long no sample may come, so that the slowest sensor is heard in between.
func (s *setup) silence() time.Duration {
	longest := freshSample
	for i := range s.config.Sensors {
		longest = max(longest, freshTicks*s.config.Sensors[i].WithDefaults().Interval.Std()+freshAllowance)
	}
	return longest
}

// Status describes the daemon now.
func (d *Daemon) Status() api.Status {
	config := d.reloads.status(d.system.Now()) // first: what it counts is in force by then
	p, now := d.pipeline, d.current.Load()
	s := api.Status{
		Version:     d.env.Version,
		UptimeS:     (d.system.Now() - d.started).Seconds(),
		KernelSet:   d.env.KernelSet,
		TimeQuality: p.clock.Quality(),
		Decisions:   p.decided.Load(),
		Answered:    p.answered.Load(),
		Missed:      p.missed.Load(),
		Sensors:     p.sensorStatus(now.sensors),
		Sinks:       now.sinkStatus(),
		Late:        []string{},
		RSSBytes:    Resident(),
		Config:      config,
	}
	for _, b := range now.buses {
		b.mark(p.clock.Now(), now.sensors, s.Sensors)
	}
	if now.mind != nil {
		s.Model = &api.ModelStatus{Name: now.mind.model.Config.Name, Digest: now.mind.model.Digest}
	}
	if last := p.lastAnswer.Load(); last >= 0 {
		s.LastResultAgeS = seconds(p.clock.Now() - time.Duration(last))
	}
	if late, err := d.lateStages(); err != nil {
		s.Late = late
	}
	s.Record = d.current.Load().recordStatus(p.clock.Now())
	s.Power, s.Skipped = d.power.status(now.stepDown), p.skipped.Load()
	s.State, s.Reason = d.state(&s)
	return s
}

// state sums s up in a word and a reason.
func (d *Daemon) state(s *api.Status) (state, reason string) {
	if err := errors.Join(d.Live(), d.Ready()); err != nil {
		return api.StateDown, err.Error()
	}
	for _, sensor := range s.Sensors {
		if sensor.State != api.StateUp && sensor.State != api.StateProbing {
			return api.StateDegraded, sensor.Reason
		}
	}
	if s.Power != nil && len(s.Power.Degraded) > 0 {
		return api.StateDegraded, "power: " + strings.Join(s.Power.Degraded, ", ")
	}
	for _, sink := range s.Sinks {
		if sink.LastError != "" {
			return api.StateDegraded, fmt.Sprintf("sink %s: %s", sink.Type, sink.LastError)
		}
	}
	if s.Config.LastError != "" {
		return api.StateDegraded, "reload: " + s.Config.LastError
	}
	if s.Record != nil && s.Record.LastError != "" {
		return api.StateDegraded, "recording: " + s.Record.LastError
	}
	return api.StateUp, ""
}

// statusLine is what systemctl status shows. Like Live it takes no lock.
func (d *Daemon) statusLine() string {
	p, now := d.pipeline, d.current.Load()
	sensors, good, at := now.sensors, 0, p.clock.Now()
	var bad []string
	for _, h := range sensors {
		switch state := now.stateOf(h, at); state {
		case up:
			good++
		case degraded, down, wedged:
			bad = append(bad, h.alias+" "+state.String())
		}
	}
	line := fmt.Sprintf("%d/%d sensors ok, ", good, len(sensors))
	if now.mind == nil {
		line += "no model: collecting"
	} else {
		line += fmt.Sprintf("%d decisions, %d answered", p.decided.Load(), p.answered.Load())
	}
	if len(bad) > 0 {
		line += ", " + strings.Join(bad, ", ")
	}
	for _, b := range now.buses {
		if state, reason := b.state(at); state == wedged {
			line += "; " + reason
		}
	}
	line += d.power.line()
	if err := d.reloads.lastError(); err != "" {
		line = "reload failed, the old configuration stays: " + err + "; " + line
	}
	return line
}

func seconds(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

// sinkStatus describes every sink.
func (s *setup) sinkStatus() []api.SinkStatus {
	all := make([]api.SinkStatus, len(s.outputs))
	for i, o := range s.outputs {
		all[i] = api.SinkStatus{
			Type: o.kind, Waiting: o.queue.Len(),
			Written: o.queue.Written(), Dropped: o.queue.Dropped(), Errors: o.queue.Errors(),
		}
		if m := o.mqtt; m != nil {
			connected := m.Connected()
			all[i].Connected, all[i].Thinned, all[i].Late = &connected, m.Thinned(), m.Late()
		}
		if err := o.queue.LastError(); err != nil {
			all[i].LastError = err.Error()
		}
	}
	return all
}
