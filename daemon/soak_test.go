package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// soakReloads is how many reloads, and then how many swaps of the model, the soak
// makes: RAGEDGE_RELOADS, or a few hundred.
func soakReloads(t *testing.T) int {
	text := os.Getenv("RAGEDGE_RELOADS")
	if text == "" {
		return 300
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// memory is what is alive once everything has settled: goroutines, and bytes of
// the heap.
func memory() (goroutines int, heap uint64) {
	goroutines = runtime.NumGoroutine()
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		goroutines = min(goroutines, runtime.NumGoroutine())
	}
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return goroutines, m.HeapAlloc
}

// TestManyReloads changes sensors and sinks, tries what is refused, and changes the model, again and again
// while others push: nothing accumulates, no push is refused and no number of a
// Result is left out.
func TestManyReloads(t *testing.T) {
	n := soakReloads(t)
	r := newReloadable(t, lightSensor(), airSensor())
	r.config.Agent.Trigger = TriggerPush
	r.config.API.Listen = []string{"unix:" + filepath.Join(r.models, "api.sock")}
	r.config.Sinks = []sink.Config{{Type: sink.File, Path: filepath.Join(r.models, "out.jsonl")}}
	r.start(t)
	r.env.OnResult, r.env.Log = nil, slog.New(slog.DiscardHandler)
	stop := run(t, r.Daemon)
	require.Eventually(t, func() bool { return r.reloads.announced.Load() }, 10*time.Second, time.Millisecond)

	end := make(chan struct{})
	var pushing sync.WaitGroup
	pushing.Go(func() {
		var last uint64
		for {
			select {
			case <-end:
				return
			default:
			}
			var got result.Result
			err := r.Decide(&api.Push{Regions: []api.Regions{regions("air", 1)}}, &got)
			if err != nil || got.Seq != last+1 || got.Label != "bright" {
				t.Errorf("after %d: %d, %q, %v", last, got.Seq, got.Label, err)
				return
			}
			last = got.Seq
			time.Sleep(time.Millisecond)
		}
	})

	reload := func(i int) {
		light := lightSensor()
		light.Interval = encoder.Duration(time.Duration(20+i%2) * time.Millisecond)
		r.config.Sensors = []sensor.Config{light, airSensor()}
		if i%3 > 0 {
			extra := light
			extra.Alias, extra.Bus, extra.Channels = "extra", "2", map[string]string{"lux": "extra"}
			r.config.Sensors = append(r.config.Sensors, extra)
		}
		r.config.Sinks = []sink.Config{{Type: sink.File, Path: filepath.Join(r.models, "out.jsonl"), Queue: 10 + i%2}}
		require.NoError(t, r.Reload())
	}
	refused := func(i int) {
		good := r.config
		defer func() { r.config = good }()
		r.config.Sinks = []sink.Config{{Type: sink.File, Path: filepath.Join(r.models, "out.jsonl"), Queue: 20 + i%2}}
		if r.config.Agent.Threads = i % 2; i%2 > 0 { // a good configuration, and a model that fails in the swap
			r.install(t, func(f *safetensors.File) { fill("project.air.weight", 3e38)(f); fill("head.0.weight", 1e30)(f) })
		}
		require.Error(t, r.Reload())
	}
	var digests [2]string
	swap := func(i int) {
		r.install(t, func(f *safetensors.File) {
			if i%2 > 0 {
				f.Metadata["about"] = "the other one"
			}
		})
		require.NoError(t, r.Reload())
		digests[i%2] = r.Status().Model.Digest
	}
	for _, kind := range []struct {
		name string
		do   func(int)
	}{{"reloads", reload}, {"refused reloads", refused}, {"model swaps", swap}} {
		for i := range n / 10 {
			kind.do(i)
		}
		r.notes.take()
		goroutines, heap := memory()
		begun := time.Now()
		for i := range n {
			kind.do(i)
		}
		took := time.Since(begun) / time.Duration(n)
		r.notes.take()
		now, grown := memory()
		t.Logf("%d %s, %v each: goroutines %d to %d, heap %d to %d KiB, resident %d KiB",
			n, kind.name, took.Round(time.Microsecond), goroutines, now, heap>>10, grown>>10, Resident()>>10)
		require.LessOrEqual(t, now, goroutines+1)
		require.Less(t, grown, heap+64<<10)
	}
	require.NotEqual(t, digests[0], digests[1])
	close(end)
	pushing.Wait()
	require.NoError(t, stop())
	require.Zero(t, r.bus.open)
}
