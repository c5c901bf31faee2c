package daemon

import (
	"math"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// measured lets a mind of its own answer for inputs, every modality of which has data.
func measured(model *fusion.Model, influence int, inputs []fusion.Regions, seq uint64) *result.Result {
	m := newMind(model, &Agent{Threads: 1, Influence: influence})
	r := &result.Result{Seq: seq, Modalities: make([]result.Modality, len(inputs))}
	for i := range inputs {
		r.Modalities[i].Present = inputs[i].Rows > 0
	}
	m.answer(inputs, r)
	return r
}

// TestInfluence holds what is measured against what the model says by itself, with
// every golden model and the first of its inputs.
func TestInfluence(t *testing.T) {
	paths, err := filepath.Glob("../fusion/testdata/golden/*/model.safetensors")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	effects, conflicts, anchors := 0, 0, 0
	for _, path := range paths {
		model, err := fusion.Load(path)
		require.NoError(t, err)
		c := &model.Config
		inputs := make([]fusion.Regions, len(c.Modalities))
		for i, m := range c.Modalities {
			inputs[i] = fusion.Regions{Rows: m.Regions, Features: m.Features, Data: make([]float32, m.Regions*m.Features)}
			for k := range inputs[i].Data {
				inputs[i].Data[k] = float32(math.Sin(float64(7*i + k)))
			}
		}
		alone := func(inputs []fusion.Regions) (out, winners []float32) {
			o, err := model.NewState().Fuse(inputs)
			switch {
			case err != nil:
				return nil, nil
			case c.Head.Task == fusion.Classify:
				return o.Probabilities, o.Probabilities
			case c.Head.Task == fusion.Regress:
				return o.Logits, nil
			}
			return o.Z, nil
		}
		whole, winners := alone(inputs)
		r := measured(model, 1, inputs, 1)
		for i := range inputs {
			masked := append([]fusion.Regions(nil), inputs...)
			masked[i] = fusion.Regions{}
			part, _ := alone(masked)
			got := &r.Modalities[i]
			if len(part) != len(whole) {
				require.False(t, got.Measured, path)
				require.Zero(t, got.Effect)
				anchors++
				continue
			}
			require.True(t, got.Measured, path)
			effects++
			if winners != nil {
				best := largest(whole)
				require.Equal(t, whole[best]-part[best], got.Effect, "%s without %d", path, i)
				require.Equal(t, best != largest(part), got.Conflict, "%s without %d", path, i)
				if got.Conflict {
					conflicts++
				}
				continue
			}
			sum := 0.0
			for k := range whole {
				sum += math.Pow(float64(whole[k]-part[k]), 2)
			}
			require.InEpsilon(t, math.Sqrt(sum), got.Effect, 1e-5, "%s without %d", path, i)
			require.False(t, got.Conflict)
		}
	}
	require.Greater(t, effects, 50)
	require.Positive(t, conflicts)
	require.Positive(t, anchors, "what the model cannot do without is left out")
}

func TestCadence(t *testing.T) {
	model := tinyModel(t, twoFeatures)
	inputs := []fusion.Regions{{Rows: 1, Features: 1, Data: []float32{1}}, {Rows: 1, Features: 1, Data: []float32{-3}}}
	for _, c := range []struct {
		influence int
		measured  []uint64 // of the first 8
	}{
		{-1, nil}, {0, []uint64{1, 2, 3, 4, 5, 6, 7, 8}}, {1, []uint64{1, 2, 3, 4, 5, 6, 7, 8}}, {3, []uint64{1, 4, 7}}, {100, []uint64{1}},
	} {
		var got []uint64
		for seq := uint64(1); seq <= 8; seq++ {
			r := measured(model, c.influence, inputs, seq)
			require.Equal(t, "dark", r.Label)
			if r.Modalities[0].Measured {
				require.True(t, r.Modalities[1].Measured)
				require.True(t, r.Modalities[1].Conflict, "without air it is bright")
				require.False(t, r.Modalities[0].Conflict)
				require.Negative(t, r.Modalities[0].Effect, "without light it is darker")
				got = append(got, seq)
			}
		}
		require.Equal(t, c.measured, got, c.influence)
	}
	inputs[1] = fusion.Regions{}
	require.False(t, measured(model, 1, inputs, 1).Modalities[0].Measured, "nothing would be left")
}

// A model that takes long is measured less often.
func TestCadenceOfALargeModel(t *testing.T) {
	c := fusion.Config{Width: 256, Modalities: []fusion.Modality{{Name: "text", Regions: 128, Features: 768}, {Name: "image", Regions: 197, Features: 768}}}
	require.EqualValues(t, influenceSeldom, cadence(0, &c))
	require.EqualValues(t, 1, cadence(1, &c))
	c.Modalities = c.Modalities[:1]
	require.Zero(t, cadence(0, &c), "one modality alone is all there is")
	room, err := fusion.Load(roomModel)
	require.NoError(t, err)
	require.EqualValues(t, 1, cadence(0, &room.Config))
}

// TestDecisionDoesNotAllocateWithInfluence is TestDecisionDoesNotAllocate with two
// modalities, both measured, a label that is held, and a sink that wants changes.
func TestDecisionDoesNotAllocateWithInfluence(t *testing.T) {
	c := quiet(airSensor(), sensor.Config{Alias: "lamp", Type: sensor.Push, Channels: map[string]string{"lux": "lux"}})
	c.Agent.Hold, c.Agent.Margin = 1, 0.1
	thin := &thinning{every: time.Minute}
	d, err := New(c, Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}, OnResult: func(*result.Result) {}})
	require.NoError(t, err)
	p := d.pipeline
	p.sinks = append(p.sinks, func(r *result.Result) { thin.passes(r) })
	p.begin()
	at, _ := p.nextTick()
	air, light := sampleOf("co2", 0, 1), sampleOf("lux", 0, 1)
	value := 1.0
	step := func() {
		at += tinyTick
		value = -value
		air[0].At, light[0].At, air[0].Value = at, at, 3*value
		p.Deliver(p.sensors[0], sensor.Reading{Sensor: 0, At: at, Samples: air})
		p.Deliver(p.sensors[1], sensor.Reading{Sensor: 1, At: at, Samples: light})
		p.Advance(at)
	}
	for range 100 {
		step()
	}
	require.True(t, p.result.Modalities[1].Measured)
	require.Zero(t, testing.AllocsPerRun(100, step))
}

func TestInfluenceInTheMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, lightSensor(), airSensor())
		stop := run(t, r.Daemon)
		r.push(t, -900) // outweighs 500 lux
		time.Sleep(2*tinyTick + time.Second)
		synctest.Wait()
		last := r.results.last(t)
		require.True(t, part(last, "air").Conflict)
		r.metric(t, `ragedge_modality_conflicts_total{modality="air"} 2`)
		r.metric(t, `ragedge_modality_conflicts_total{modality="light"} 0`)
		r.metric(t, `ragedge_modality_effect{modality="air"} 1`)
		r.metric(t, `ragedge_decision_entropy 0`)
		require.NoError(t, r.Reload())
		r.metric(t, `ragedge_modality_conflicts_total{modality="air"} 2`)
		require.NoError(t, stop())
	})
}

// BenchmarkInfluence is a decision of the room's model, without and with the runs that
// leave each of its five modalities out.
func BenchmarkInfluence(b *testing.B) {
	model, err := fusion.Load(roomModel)
	require.NoError(b, err)
	for name, influence := range map[string]int{"never": influenceNever, "always": 1} {
		b.Run(name, func(b *testing.B) {
			m := newMind(model, &Agent{Threads: 1, Influence: influence})
			inputs := make([]fusion.Regions, len(model.Config.Modalities))
			r := &result.Result{Seq: 1, Modalities: make([]result.Modality, len(inputs))}
			for i, c := range model.Config.Modalities {
				inputs[i] = fusion.Regions{Rows: c.Regions, Features: c.Features, Data: make([]float32, c.Regions*c.Features)}
				r.Modalities[i].Present = true
			}
			b.ReportAllocs()
			for b.Loop() {
				m.answer(inputs, r)
			}
		})
	}
}
