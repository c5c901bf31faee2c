package daemon

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// TestSteady plays a letter every 10 s: the label that is most probable then, A to C
// with 0.6 against 0.2, or a to c with 0.4 against 0.3; "-" is no answer. What holds
// stands below.
func TestSteady(t *testing.T) {
	for _, c := range []struct {
		name       string
		hold       time.Duration
		margin     float32
		raw, holds string
	}{
		{"the most probable one", 0, 0, "AbC-aB", "ABC-AB"},
		{"not before it has won for 20 s", 20 * time.Second, 0, "AABBBB", "AAAABB"},
		{"in a row", 20 * time.Second, 0, "ABABBAB", "AAAAAAA"},
		{"and by itself", 20 * time.Second, 0, "ABCBCCC", "AAAAAAC"},
		{"not on a slight lead", 0, 0.2, "AbbBaaA", "AAABBBA"},
		{"a slight lead ends a clear one", 10 * time.Second, 0.2, "ABbBB", "AAAAB"},
		{"less than a tick holds nothing up but the first", time.Second, 0, "ABBA", "AABB"},
		{"nothing holds over a gap", time.Minute, 0, "AB-BA", "AA-BB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSteady(&Agent{Hold: encoder.Duration(c.hold), Margin: float64(c.margin)})
			var got string
			for i, letter := range c.raw {
				if letter == '-' {
					s.forget()
					got += "-"
					continue
				}
				p, best, most := []float32{0.2, 0.2, 0.2}, int(letter-'A'), float32(0.6)
				if letter >= 'a' {
					p, best, most = []float32{0.3, 0.3, 0.3}, int(letter-'a'), 0.4
				}
				p[best] = most
				got += string(rune('A' + s.settle(p, best, time.Duration(i)*10*time.Second)))
			}
			require.Equal(t, c.holds, got)
		})
	}
}

func TestSteadyAllocatesNothing(t *testing.T) {
	s, p := newSteady(&Agent{Hold: 5, Margin: 0.1}), []float32{0.4, 0.6}
	require.Zero(t, testing.AllocsPerRun(100, func() { s.settle(p, 1, 1) }))
}

// A label that is held up shows which one would be it, and a replay of the run under
// the same [agent] says the same.
func TestHoldIsReplayed(t *testing.T) {
	dir := t.TempDir()
	before := &results{}
	agent := DefaultConfig().Agent
	agent.Hold, agent.Margin, agent.Influence = encoder.Duration(25*time.Second), 0.1, 3
	synctest.Test(t, func(t *testing.T) {
		c := quiet(airSensor())
		c.Agent, c.Record = agent, recordTo(dir)
		d, err := New(c, Environment{Model: tinyModel(t, twoFeatures), Notify: &notes{}, OnResult: before.add})
		require.NoError(t, err)
		stop := run(t, d)
		l := &live{Daemon: d}
		time.Sleep(3 * time.Second) // pushes lie between ticks
		for i := range 30 {
			l.push(t, float64([]int{1, 1, -1}[i/4%3]))
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		require.NoError(t, stop())
	})
	held := 0
	for i := range before.all {
		if r := &before.all[i]; r.RawLabel != "" {
			require.NotEqual(t, r.Label, r.RawLabel)
			held++
		}
	}
	require.Greater(t, held, 5)

	c := quiet(sensor.Config{Alias: "tape", Type: sensor.Recorded, File: filepath.Join(dir, "*.mcap"), Speed: "max"})
	c.Agent = agent
	again := &results{}
	d, err := New(c, Environment{Model: tinyModel(t, twoFeatures), OnResult: again.add, Notify: &notes{}})
	require.NoError(t, err)
	require.NoError(t, d.Run(t.Context()))
	require.Equal(t, withoutWall(t, before.all), withoutWall(t, again.all))
}

// A reload with the same labels goes on, one with others begins anew.
func TestHoldSurvivesAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, airSensor())
		r.config.Agent.Hold = encoder.Duration(35 * time.Second)
		r.start(t)
		stop := run(t, r.Daemon)
		next := func(value float64) *result.Result {
			r.push(t, value)
			time.Sleep(tinyTick)
			synctest.Wait()
			return r.results.last(t)
		}
		require.Equal(t, "bright", next(1).Label)
		require.Equal(t, "bright", next(-1).Label)
		require.NoError(t, r.Reload())
		x := next(-1)
		require.Equal(t, "bright", x.Label, "the new model knows what holds")
		require.Equal(t, "dark", x.RawLabel)
		next(-1)
		next(-1)
		require.Equal(t, "dark", next(-1).Label, "and for how long the other has won")

		r.install(t, func(f *safetensors.File) {
			f.Metadata["config"] = `{"name":"tiny","modalities":[{"name":"light","regions":2,"features":1},{"name":"air","regions":2,"features":1}],
				"width":2,"strategy":"gate","align":"identity","pool":"mean",
				"head":{"task":"classify","outputs":2,"labels":["off","on"]}}`
		})
		require.NoError(t, r.Reload())
		require.Equal(t, "on", next(1).Label)
		require.NoError(t, stop())
	})
}

func TestSteadyIsChecked(t *testing.T) {
	for want, set := range map[string]func(*Agent){
		"agent: hold: want a duration of 0 or more": func(a *Agent) { a.Hold = -1 },
		"agent: margin: 1, want 0 or more":          func(a *Agent) { a.Margin = 1 },
		"agent: margin: -0.1, want":                 func(a *Agent) { a.Margin = -0.1 },
		"agent: influence: -2, want":                func(a *Agent) { a.Influence = -2 },
	} {
		c := quiet()
		set(&c.Agent)
		require.ErrorContains(t, c.Check(), want)
	}
}
