package daemon

import (
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/VictoriaMetrics/metrics"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/result"
)

// durationBounds are the buckets of the decision's duration, in seconds: from a
// microsecond, which a small model takes, to a second.
var durationBounds = []float64{1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1}

// newMetrics registers what the daemon counts anyway and what outlives a reload;
// nothing is counted twice.
func (d *Daemon) newMetrics() *metrics.Set {
	set := metrics.NewSet()
	p := d.pipeline
	gauge := func(name string, f func() float64) { set.NewGauge(name, f) }
	count := func(name string, f func() int64) { set.NewGauge(name, func() float64 { return float64(f()) }) }

	constant := func(name string) { gauge(name, func() float64 { return 1 }) }
	constant(fmt.Sprintf(`ragedge_build_info{version=%q,goversion=%q,goarch=%q}`, d.env.Version, runtime.Version(), runtime.GOARCH))
	constant(fmt.Sprintf(`ragedge_kernel_info{set=%q,reason=%q}`, d.env.KernelSet, d.env.KernelFault))

	count("ragedge_decisions_total", p.decided.Load)
	count("ragedge_decisions_answered_total", p.answered.Load)
	count("ragedge_ticks_missed_total", p.missed.Load)
	count("ragedge_watchdog_pets_total", d.watchdog.fed.Load)
	d.powerMetrics(gauge)
	gauge("ragedge_decision_entropy", func() float64 { return math.Float64frombits(p.entropy.Load()) })
	count("ragedge_clock_steps_total", d.system.steps.Load)
	gauge("ragedge_clock_synchronized", func() float64 { return oneIf(d.system.Quality() == result.Synced) })
	p.duration = set.NewPrometheusHistogramExt("ragedge_inference_duration_seconds", durationBounds).Update
	gauge("process_resident_memory_bytes", func() float64 { return float64(Resident()) })
	r := &d.reloads
	gauge("ragedge_config_last_reload_successful", func() float64 { return oneIf(r.lastError() == "") })
	gauge("ragedge_config_last_reload_success_timestamp_seconds", r.succeeded)
	count("ragedge_config_reloads_total", r.done.Load)
	count("ragedge_config_reload_failures_total", r.failed.Load)
	return set
}

// newMetrics registers what is counted of the setup's own parts. Label values come
// from the configuration and the model only.
func (s *setup) newMetrics(p *pipeline) *metrics.Set {
	set := metrics.NewSet()
	gauge := func(name string, f func() float64) { set.NewGauge(name, f) }
	count := func(name string, f func() int64) { set.NewGauge(name, func() float64 { return float64(f()) }) }
	for _, h := range s.sensors {
		label := fmt.Sprintf("{sensor=%q}", h.alias)
		gauge("ragedge_sensor_up"+label, func() float64 { return oneIf(s.stateOf(h, p.clock.Now()) == up) })
		for state, name := range stateNames {
			gauge(fmt.Sprintf("ragedge_sensor_state{sensor=%q,state=%q}", h.alias, name),
				func() float64 { return oneIf(s.stateOf(h, p.clock.Now()) == sensorState(state)) })
		}
		gauge("ragedge_sensor_frozen"+label, func() float64 { return oneIf(h.frozen.Load()) })
		count("ragedge_sensor_out_of_range_total"+label, h.strays)
		count("ragedge_sensor_reads_total"+label, h.reads.Load)
		count("ragedge_sensor_read_errors_total"+label, h.errors.Load)
		count("ragedge_sensor_non_finite_total"+label, h.nonFinite.Load)
	}
	for _, source := range s.sources {
		p := source.program
		if p == nil {
			continue
		}
		label := fmt.Sprintf("{sensor=%q}", source.configs[0].Alias)
		switch source.configs[0].Type {
		case sensor.Camera:
			count("ragedge_sensor_pictures_skipped_total"+label, p.Skipped)
		case sensor.IIO:
			count("ragedge_sensor_overruns_total"+label, p.Overruns)
		}
	}
	for _, m := range s.modalities {
		label := fmt.Sprintf("{modality=%q}", m.name)
		count("ragedge_modality_masked_total"+label, m.masked.Load)
		count("ragedge_modality_conflicts_total"+label, m.conflicts.Load)
		gauge("ragedge_modality_effect"+label, func() float64 { return math.Float64frombits(m.effect.Load()) })
		if m.window != nil {
			count("ragedge_window_dropped_total"+label, p.locked(m.window.Dropped))
		}
	}
	for _, source := range s.sources {
		if source.dropped != nil {
			count(fmt.Sprintf("ragedge_source_dropped_total{source=%q}", source.name), source.dropped)
		}
	}
	s.outputMetrics(count)
	s.recordMetrics(gauge, p.clock.Now)
	return set
}

// outputMetrics registers the counters of the sinks, numbered where two have one
// type.
func (s *setup) outputMetrics(count func(string, func() int64)) {
	for _, o := range s.outputs {
		label := fmt.Sprintf("{output=%q}", o.name)
		count("ragedge_output_written_total"+label, o.queue.Written)
		count("ragedge_output_dropped_total"+label, o.queue.Dropped)
		count("ragedge_output_errors_total"+label, o.queue.Errors)
		if o.thin != nil {
			count("ragedge_output_held_back_total"+label, o.thin.held.Load)
		}
		count("ragedge_output_queue_length"+label, func() int64 { return int64(o.queue.Len()) })
		if m := o.mqtt; m != nil {
			count("ragedge_output_connected"+label, func() int64 { return int64(oneIf(m.Connected())) })
			count("ragedge_output_connects_total"+label, m.Connects)
			count("ragedge_output_thinned_total"+label, m.Thinned)
			count("ragedge_output_late_total"+label, m.Late)
			if m.Spills() {
				count("ragedge_output_spilled_total"+label, m.Spilled)
				count("ragedge_output_spill_bytes"+label, m.SpillBytes)
			}
		}
	}
}

// WriteMetrics writes the metrics in Prometheus text form.
func (d *Daemon) WriteMetrics(w io.Writer) {
	d.metrics.WritePrometheus(w)
	d.current.Load().metrics.WritePrometheus(w)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
