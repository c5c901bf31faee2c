package daemon

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// TestThinning offers a Result every 10 s, each with one more change, to a sink that
// wants one a minute.
func TestThinning(t *testing.T) {
	light := func(r *result.Result) *result.Modality { return &r.Modalities[0] }
	r := &result.Result{Label: "a", Modalities: []result.Modality{
		{Name: "light", Present: true, Measured: true}, {Name: "air", Present: true, Measured: true}}}
	s := &thinning{every: time.Minute}
	for i, c := range []struct {
		name   string
		change func()
		passes bool
	}{
		{"the first", func() {}, true},
		{"a repeat", func() {}, false},
		{"what changes all the time", func() { r.Probabilities, light(r).Share, light(r).Age, light(r).Rows = []float32{1}, 0.9, 5, 3 }, false},
		{"a label that does not hold yet", func() { r.RawLabel = "b" }, false},
		{"another label", func() { r.Label, r.RawLabel = "b", "" }, true},
		{"a repeat", func() {}, false},
		{"a modality goes", func() { *light(r) = result.Modality{Name: "light", Reason: "gone"} }, true},
		{"for another reason", func() { light(r).Reason = "stale" }, true},
		{"and comes back", func() { *light(r) = result.Modality{Name: "light", Present: true, Measured: true} }, true},
		{"in conflict", func() { light(r).Conflict = true }, true},
		{"not measured", func() { light(r).Measured, light(r).Conflict = false, false }, false},
		{"still in conflict", func() { light(r).Measured, light(r).Conflict = true, true }, false},
		{"no longer", func() { light(r).Conflict = false }, true},
		{"no answer", func() { r.Label, r.Reason = "", "no modality has data" }, true},
		{"1", func() {}, false}, {"2", func() {}, false}, {"3", func() {}, false}, {"4", func() {}, false}, {"5", func() {}, false},
		{"a sign of life", func() {}, true},
		{"a repeat", func() {}, false},
		{"another model", func() { r.Modalities = r.Modalities[:1] }, true},
		{"nothing but readings", func() { r.Modalities, r.Reason = nil, "" }, true},
		{"and a repeat", func() {}, false},
	} {
		c.change()
		r.Mono = time.Duration(i) * 10 * time.Second
		require.Equal(t, c.passes, s.passes(r), "%d: %s", i, c.name)
	}
	require.EqualValues(t, 13, s.held.Load())
}

// lockedText is text that a sink writes and a test reads.
type lockedText struct {
	mu sync.Mutex
	strings.Builder
}

func (w *lockedText) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Builder.Write(p)
}

// A sink that wants changes gets them, a sign of life, and nothing else; one beside it
// gets everything; a reload that leaves it alone is no change.
func TestPublishChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, airSensor())
		out := &lockedText{}
		r.config.Sinks = []sink.Config{{Type: sink.Stdout, Publish: sink.Changed, AtLeastEvery: encoder.Duration(2 * time.Minute)}, fileSink(t.TempDir()+"/all.jsonl", 64)}
		r.start(t)
		r.env.Stdout = out
		stop := run(t, r.Daemon)
		time.Sleep(3 * time.Second)
		for i := range 30 {
			r.push(t, float64(1-2*(i/25)))
			time.Sleep(tinyTick)
			if i == 5 {
				require.NoError(t, r.Reload())
			}
		}
		synctest.Wait()
		r.metric(t, `ragedge_output_held_back_total{output="stdout-1"} 26`)
		r.metric(t, `ragedge_output_written_total{output="file-2"} 30`)
		require.NoError(t, stop())
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 4, "the first, two signs of life, and the change")
		require.Contains(t, lines[2], `"seq":25,`)
		require.Contains(t, lines[3], `"seq":26,`)
		require.Contains(t, lines[3], `"label":"dark"`)
	})
}

// Home Assistant shall not take a sink that is quiet for one that is gone.
func TestAnnouncementKnowsThePace(t *testing.T) {
	r := newReloadable(t, airSensor())
	s := r.current.Load()
	require.Equal(t, tinyTick, r.announcement(s, &sink.Config{Publish: sink.All}).Every)
	require.Equal(t, time.Hour, r.announcement(s, &sink.Config{Publish: sink.Changed, AtLeastEvery: encoder.Duration(time.Hour)}).Every)
	s.every = 0
	require.Zero(t, r.announcement(s, &sink.Config{AtLeastEvery: encoder.Duration(time.Hour)}).Every, "nothing is due at any time")
}

func TestPublishIsChecked(t *testing.T) {
	for want, c := range map[string]sink.Config{
		`publish: "some" is not one of: all, changed`:   {Type: sink.Stdout, Publish: "some"},
		`at_least_every: only with publish = "changed"`: {Type: sink.Stdout, AtLeastEvery: 5},
		"at_least_every: want a duration of more":       {Type: sink.Stdout, Publish: sink.Changed, AtLeastEvery: -5},
	} {
		require.ErrorContains(t, c.Check(), want)
	}
	c := sink.Config{Type: sink.Stdout, Publish: sink.Changed}
	require.NoError(t, c.Check())
	require.Equal(t, 5*time.Minute, c.WithDefaults().AtLeastEvery.Std())
}
