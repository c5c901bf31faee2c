package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// choosyModel is tinyModel with a gate that looks here and there.
func choosyModel(t testing.TB, bias float32) *fusion.Model {
	t.Helper()
	model, err := fusion.Parse(tinyFile(t, twoFeatures, func(f *safetensors.File) {
		for i := range f.Tensors {
			switch f.Tensors[i].Name {
			case "gate.weight":
				f.Tensors[i] = safetensors.NewFloat32("gate.weight", []float32{1e-3, 0, -2e-3, 0, -1e-3, 0, 3e-3, 0}, 2, 4)
			case "gate.bias":
				f.Tensors[i] = safetensors.NewFloat32("gate.bias", []float32{bias, 0}, 2)
			}
		}
	}))
	require.NoError(t, err)
	return model
}

// eventful runs a daemon that records, in files of a minute, a sensor that fails and a
// bus that hangs, pushed samples and regions, and decisions on demand. It returns where
// the answers looked, by the number of the Result, and all Results.
func eventful(t *testing.T, dir string, then func(d *Daemon, looked map[uint64]*api.Attention, all []result.Result)) {
	synctest.Test(t, func(t *testing.T) {
		bus, seen := &fakeBus{raw: 600}, &results{}
		c := quiet(lightSensor(), airSensor())
		c.Record = recordTo(dir)
		c.Record.SegmentAge = encoder.Duration(time.Minute)
		d, err := New(c, Environment{
			Model: choosyModel(t, 0), Hardware: sensor.Hardware{I2C: bus.open}, Notify: &notes{}, OnResult: seen.add,
		})
		require.NoError(t, err)
		stop := run(t, d)
		looked := map[uint64]*api.Attention{}
		look := func() {
			if a, err := d.Attention(); err == nil {
				looked[a.Seq] = a
			}
		}
		for i := range 60 {
			time.Sleep(3 * time.Second)
			synctest.Wait()
			look()
			bus.set(func(b *fakeBus) {
				b.raw = uint16(100 + 37*i)
				if b.err = nil; i%20 > 12 {
					b.err = errRemote
				}
			})
			if i%3 == 0 && i != 57 {
				require.NoError(t, d.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: float64(400*(i%2)) - 200.1}}}))
			}
			switch i {
			case 30:
				require.NoError(t, d.Push(&api.Push{Age: time.Second, TTL: 25 * time.Second,
					Regions: []api.Regions{{Modality: "air", Rows: 2, Features: 1, Data: []float32{0.25, -1e3}}}}))
			case 7, 32, 57:
				var r result.Result
				require.NoError(t, d.Decide(&api.Push{}, &r))
				look()
			case 51:
				hang := make(chan struct{})
				bus.set(func(b *fakeBus) { b.hang = hang })
				time.AfterFunc(12*time.Second, func() {
					bus.set(func(b *fakeBus) { b.hang = nil })
					close(hang)
				})
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		then(d, looked, seen.all)
		require.NoError(t, stop())
	})
}

// thenIn finds a Result's attention in whichever recording has it.
func (d *Daemon) thenIn(t *testing.T, dir string, at time.Time) (*api.Attention, error) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.mcap*"))
	require.NoError(t, err)
	for _, name := range names {
		a, err := d.AttentionThen(context.Background(), filepath.Base(name), at)
		if err == nil || !strings.Contains(err.Error(), "no Result of that time") {
			return a, err
		}
	}
	return nil, errors.New("no recording has it")
}

// TestHindsight: of every answer in a recording the attention is what it was then, to
// the last bit, whatever had failed or hung, over the borders of files.
func TestHindsight(t *testing.T) {
	dir := t.TempDir()
	eventful(t, dir, func(d *Daemon, looked map[uint64]*api.Attention, all []result.Result) {
		require.Greater(t, len(looked), 15)
		uneven := 0
		for _, r := range all {
			if r.Reason != "" {
				_, err := d.thenIn(t, dir, r.Time)
				require.ErrorIs(t, err, api.ErrUnknown)
				require.ErrorContains(t, err, r.Reason)
				continue
			}
			want := looked[r.Seq]
			require.NotNil(t, want, r.Seq)
			a, err := d.thenIn(t, dir, r.Time)
			require.NoError(t, err, "%d: %s", r.Seq, r.AppendJSON(nil))
			require.True(t, want.Time.Truncate(time.Millisecond).Equal(a.Time))
			want.Time = a.Time
			require.Equal(t, want, a)
			if len(a.Attention) == 2 && a.Attention[0][0] != a.Attention[1][0] {
				uneven++
			}
		}
		require.Greater(t, uneven, 5, "the regions differ, so a wrong one would be seen")
	})
}

// TestNoHindsight: nothing is said rather than something that was not so.
func TestNoHindsight(t *testing.T) {
	dir := t.TempDir()
	eventful(t, dir, func(d *Daemon, looked map[uint64]*api.Attention, all []result.Result) {
		names, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
		require.NoError(t, err)
		require.Greater(t, len(names), 1)
		file := filepath.Base(names[0])
		ask := func(at time.Time) error {
			a, err := d.AttentionThen(t.Context(), file, at)
			require.Nil(t, a)
			return err
		}
		require.ErrorIs(t, ask(all[0].Time.Add(time.Second)), api.ErrUnknown)
		file = "none.mcap"
		require.EqualError(t, ask(all[0].Time), `unknown name: no recording "none.mcap": GET /v1/recordings lists those there are`)
		file = "../none.mcap"
		require.ErrorIs(t, ask(all[0].Time), api.ErrUnknown)

		// The first file is lost: what looks back into it is not computed.
		lost := 0
		require.NoError(t, os.Remove(names[0]))
		for _, r := range all {
			a, err := d.thenIn(t, dir, r.Time)
			switch {
			case looked[r.Seq] == nil || err != nil && strings.Contains(err.Error(), "no recording has it"):
			case err != nil:
				require.ErrorIs(t, err, api.ErrMismatch)
				require.ErrorContains(t, err, "not all that led up to it is there")
				lost++
			default:
				require.Equal(t, looked[r.Seq].Attention, a.Attention)
			}
		}
		require.Positive(t, lost)

		// With other features other numbers come out, which are not shown as those of then.
		s := d.current.Load()
		definition := &s.modalities[0].definition
		definition.Functions = []string{"mean"}
		others := 0
		for _, r := range all {
			a, err := d.thenIn(t, dir, r.Time)
			if errors.Is(err, api.ErrMismatch) {
				others++
			} else if err == nil {
				require.Equal(t, looked[r.Seq].Attention, a.Attention)
			}
		}
		require.Greater(t, others, lost)
		definition.Functions = []string{"last"}

		// Another model, whose digest says so, and none.
		answered := all[len(all)-1]
		require.Empty(t, answered.Reason)
		mine := s.mind
		s.mind = newMind(choosyModel(t, 1), &s.config.Agent)
		_, err = d.thenIn(t, dir, answered.Time)
		require.ErrorIs(t, err, api.ErrMismatch)
		require.ErrorContains(t, err, "the answer is of model "+mine.model.Digest)
		s.mind = nil
		_, err = d.thenIn(t, dir, answered.Time)
		require.ErrorIs(t, err, api.ErrNotReady)
		s.mind = mine
	})
	d, err := New(quiet(airSensor()), Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}})
	require.NoError(t, err)
	_, err = d.AttentionThen(t.Context(), "a.mcap", time.Now())
	require.ErrorIs(t, err, api.ErrUnknown)
}

// TestRecordedIs: an answer is told from one that is only like it.
func TestRecordedIs(t *testing.T) {
	r := result.Result{Labels: []string{"a", "b"}, Probabilities: []float32{0.25, 0.75}, Modalities: []result.Modality{{Name: "x", Share: 0.5}}}
	then := func() *recorded {
		out := &recorded{Probabilities: map[string]float32{"a": 0.25, "b": 0.75}}
		out.Modalities = map[string]recordedPart{"x": {Share: 0.5}}
		return out
	}
	require.True(t, then().is(&r))
	for name, change := range map[string]func(*recorded){
		"share":       func(c *recorded) { c.Modalities["x"] = recordedPart{Share: 0.5001} },
		"probability": func(c *recorded) { c.Probabilities["b"] = 0.7501 },
		"label":       func(c *recorded) { c.Probabilities = map[string]float32{"a": 0.25, "c": 0.75} },
		"labels":      func(c *recorded) { c.Probabilities["c"] = 0 },
		"values":      func(c *recorded) { c.Values = []float32{1} },
	} {
		c := then()
		change(c)
		require.False(t, c.is(&r), name)
	}
	values := result.Result{Values: []float32{-1000, 0.001}}
	require.True(t, (&recorded{Values: []float32{-1000, 0.002}}).is(&values), "in units of the largest")
	require.False(t, (&recorded{Values: []float32{-1000, 0.1}}).is(&values))
}
