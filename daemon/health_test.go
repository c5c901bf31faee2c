package daemon

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/stretchr/testify/require"
)

func TestHealth(t *testing.T) {
	bad := errors.New("remote I/O error")
	for _, c := range []struct {
		name string
		errs []error
		want []sensorState
	}{
		{"good", []error{nil, nil}, []sensorState{up, up}},
		{"one failure costs nothing", []error{nil, bad, nil}, []sensorState{up, degraded, up}},
		{"three in a row", []error{nil, bad, bad, bad, nil}, []sensorState{up, degraded, degraded, down, up}},
		{"unplugged at once", []error{nil, fmt.Errorf("x: %w", sensor.ErrUnplugged), nil}, []sensorState{up, down, up}},
		{"non-finite at once", []error{nil, fmt.Errorf("lux: %w", sensor.ErrNonFinite), nil}, []sensorState{up, down, up}},
		{"never there", []error{bad, bad, bad}, []sensorState{probing, probing, down}},
		{"stays down", []error{bad, bad, bad, bad}, []sensorState{probing, probing, down, down}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &health{alias: "desk", lastGood: -1}
			for i, err := range c.errs {
				before := h.now()
				changed := h.observe(&sensor.Reading{At: time.Duration(i), Err: err})
				require.Equal(t, c.want[i], h.now(), "reading %d", i)
				require.Equal(t, before != h.now(), changed)
				if err != nil {
					require.Equal(t, "sensor desk: "+err.Error(), h.reason)
				}
			}
		})
	}
}

// TestRow37NonFiniteMasksAndCounts: the sensor is out until it reads a number
// again, and what it delivered before does not speak for it.
func TestRow37NonFiniteMasksAndCounts(t *testing.T) {
	seen := &results{}
	d, err := New(quiet(lightSensor(), airSensor()), Environment{
		Model: tinyModel(t, twoFeatures), Notify: &notes{}, Hardware: sensor.Hardware{I2C: (&fakeBus{}).open}, OnResult: seen.add,
	})
	require.NoError(t, err)
	require.NoError(t, d.open(t.Context(), func(error) {}))
	p := d.pipeline
	p.begin()
	at, _ := p.nextTick()
	deliver := func(value float64, err error) {
		p.Deliver(p.sensors[0], sensor.Reading{Sensor: 0, At: at, Samples: sampleOf("lux", at, value), Err: err})
		p.Advance(at)
		at += tinyTick
	}
	deliver(100, nil)
	require.True(t, part(seen.last(t), "light").Present)
	p.Deliver(p.sensors[0], sensor.Reading{Sensor: 0, At: at, Err: fmt.Errorf("lux: %w: %v", sensor.ErrNonFinite, math.NaN())})
	p.Advance(at)
	at += tinyTick
	light := part(seen.last(t), "light")
	require.False(t, light.Present)
	require.Equal(t, "sensor desk: lux: not a finite number: NaN", light.Reason)
	require.EqualValues(t, 1, p.sensors[0].nonFinite.Load())
	var b strings.Builder
	d.WriteMetrics(&b)
	require.Contains(t, b.String(), `ragedge_sensor_non_finite_total{sensor="desk"} 1`)
	require.Contains(t, b.String(), `ragedge_modality_masked_total{modality="light"} 1`)
	deliver(100, nil)
	require.True(t, part(seen.last(t), "light").Present)
}
