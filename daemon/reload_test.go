package daemon

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// door is a fake bus that only one can have open at a time, as a GPIO line is.
type door struct {
	fakeBus
	opened, open int
	twice        bool
}

func (d *door) enter(string) (sensor.Bus, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened++
	d.open++
	d.twice = d.twice || d.open > 1
	return d, nil
}

func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
	return nil
}

// reloadable is a daemon whose configuration a test changes.
type reloadable struct {
	*Daemon
	config  Config
	err     error // of reading the configuration
	bus     *door
	notes   *notes
	results *results
	log     *bytes.Buffer
	models  string // its directory of models
}

func newReloadable(t *testing.T, sensors ...sensor.Config) *reloadable {
	r := &reloadable{bus: &door{fakeBus: fakeBus{raw: 600}}, notes: &notes{}, results: &results{}, log: &bytes.Buffer{}, models: t.TempDir()}
	r.config = quiet(sensors...)
	r.config.Agent.Model, r.config.Agent.ModelDirectory = "tiny.safetensors", r.models
	r.install(t, nil)
	r.start(t)
	return r
}

// start makes the daemon of the present configuration.
func (r *reloadable) start(t *testing.T) {
	var err error
	r.Daemon, err = New(r.config, Environment{
		Hardware: sensor.Hardware{I2C: r.bus.enter}, Notify: r.notes, OnResult: r.results.add, Log: logTo(r.log),
		Load: func() (Config, error) { return r.config, r.err },
	})
	require.NoError(t, err)
}

// install writes the model's file, with a change.
func (r *reloadable) install(t *testing.T, change func(*safetensors.File)) {
	path := filepath.Join(r.models, "tiny.safetensors")
	require.NoError(t, os.WriteFile(path+".new", tinyFile(t, twoFeatures, change), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func (r *reloadable) push(t *testing.T, value float64) {
	require.NoError(t, r.Push(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: value}}}))
}

func (r *reloadable) metric(t *testing.T, line string) {
	t.Helper()
	var text bytes.Buffer
	r.WriteMetrics(&text)
	require.Contains(t, text.String(), line+"\n")
}

// What did not change goes on as if nothing had happened: sensors, the samples in
// windows, the numbers of Results; what is new begins.
func TestReloadKeepsWhatDidNotChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, lightSensor(), airSensor())
		stop := run(t, r.Daemon)
		r.push(t, 1)
		time.Sleep(tinyTick)
		synctest.Wait()
		before := *r.results.last(t)
		reads := r.Status().Sensors[0].Reads

		second := lightSensor()
		second.Alias, second.Bus, second.Channels = "roof", "2", map[string]string{"lux": "roof"}
		r.config.Sensors = []sensor.Config{second, airSensor(), lightSensor()}
		require.NoError(t, r.Reload())
		time.Sleep(tinyTick)
		synctest.Wait()

		after := r.results.last(t)
		require.Equal(t, before.Seq+1, after.Seq)
		require.Equal(t, 2, part(after, "light").Rows, "the window kept its samples")
		require.True(t, part(after, "air").Present, "and what was pushed")
		s := r.Status()
		require.Equal(t, []string{"roof", "air", "desk"}, []string{s.Sensors[0].Alias, s.Sensors[1].Alias, s.Sensors[2].Alias})
		require.Greater(t, s.Sensors[2].Reads, reads)
		require.Equal(t, api.StateUp, s.Sensors[0].State)
		require.Equal(t, 2, r.bus.opened, "the bus that was open stayed so")
		r.metric(t, `ragedge_sensor_up{sensor="roof"} 1`)
		r.metric(t, `ragedge_config_reloads_total 1`)

		r.config.Sensors = []sensor.Config{airSensor()}
		require.NoError(t, r.Reload())
		time.Sleep(4 * tinyTick)
		synctest.Wait()
		require.Zero(t, r.bus.open, "what nobody needs is closed")
		require.False(t, part(r.results.last(t), "light").Present)
		require.Len(t, r.Status().Sensors, 1)
		require.NoError(t, stop())
	})
}

// fill returns a change of a model's file: every element of a tensor has a value.
func fill(name string, value float32) func(*safetensors.File) {
	return func(f *safetensors.File) {
		for i, tensor := range f.Tensors {
			if tensor.Name != name {
				continue
			}
			values, _ := tensor.Float32s() // a tensor of tinyFile
			for k := range values {
				values[k] = value
			}
			f.Tensors[i] = safetensors.NewFloat32(name, values, tensor.Shape...)
		}
	}
}

// "Bad file at hot reload": a bad configuration or model changes nothing, and says so in the log, to the
// service manager, in the metrics and in the status.
func TestReloadRefusesWhatIsBad(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(t *testing.T, r *reloadable)
		kind error
		want string
	}{
		{"no TOML", func(_ *testing.T, r *reloadable) { r.err = errors.Join(ErrConfig, errors.New("c.toml: 1:1: nonsense")) }, ErrConfig, "nonsense"},
		{"a bad value", func(_ *testing.T, r *reloadable) { r.config.Agent.Threads = 0 }, ErrConfig, "agent: threads: 0"},
		{"a bad sensor", func(_ *testing.T, r *reloadable) {
			r.config.Sensors = append(r.config.Sensors, sensor.Config{Alias: "x"})
		}, ErrConfig, "sensor: 3 (x): type"},
		{"other features", func(_ *testing.T, r *reloadable) {
			r.config.Features = encoder.Features{Tick: encoder.Duration(time.Second), Modalities: map[string]encoder.Definition{"light": {Encoder: encoder.Push, Regions: 2}}}
		}, ErrConfig, "features"},
		{"a socket that is a file", func(_ *testing.T, r *reloadable) {
			r.config.API.Listen = []string{"unix:" + filepath.Join(r.models, "tiny.safetensors")}
		}, ErrConfig, "is no socket: remove it"},
		{"a recording", func(_ *testing.T, r *reloadable) {
			r.config.Sensors = []sensor.Config{{Alias: "r", Type: sensor.Recorded, File: "x.csv", Time: []string{"t"}, Format: "15:04"}}
		}, ErrConfig, "restart"},
		{"no model", func(t *testing.T, r *reloadable) {
			require.NoError(t, os.Remove(filepath.Join(r.models, "tiny.safetensors")))
		}, ErrConfig, "agent.model"},
		{"a cut model", func(t *testing.T, r *reloadable) {
			require.NoError(t, os.Truncate(filepath.Join(r.models, "tiny.safetensors"), 100))
		}, ErrData, "tiny.safetensors"},
		{"a model that fails on zeros", func(t *testing.T, r *reloadable) {
			r.install(t, func(f *safetensors.File) { fill("project.light.bias", 3e38)(f); fill("head.0.weight", 1e30)(f) })
		}, ErrData, "self-check"},
		{"a model that fails on what is there", func(t *testing.T, r *reloadable) {
			r.install(t, func(f *safetensors.File) { fill("project.light.weight", 1e37)(f); fill("head.0.weight", 1e30)(f) })
		}, ErrData, "self-check"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReloadable(t, lightSensor(), airSensor())
				good := r.config
				stop := run(t, r.Daemon)
				r.push(t, 1)
				time.Sleep(tinyTick)
				synctest.Wait()
				digest := r.Status().Model.Digest
				r.notes.take()

				c.set(t, r)
				err := r.Reload()
				require.ErrorIs(t, err, c.kind)
				require.ErrorContains(t, err, c.want)

				require.Contains(t, r.log.String(), "reload failed, the old configuration stays")
				told := r.notes.take()
				require.Len(t, told, 2)
				require.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=\d+$`, told[0])
				require.Regexp(t, `^READY=1\nSTATUS=reload failed, the old configuration stays: .*$`, told[1], "one line")
				require.Contains(t, told[1], c.want)
				r.metric(t, "ragedge_config_last_reload_successful 0")
				r.metric(t, "ragedge_config_reload_failures_total 1")
				s := r.Status()
				require.Contains(t, s.Config.LastError, c.want)
				require.Equal(t, api.StateDegraded, s.State)
				require.Contains(t, s.Reason, "reload: ")

				r.push(t, 1)
				time.Sleep(tinyTick)
				synctest.Wait()
				last := r.results.last(t)
				require.Equal(t, "bright", last.Label, "answers go on")
				require.Equal(t, digest, last.Model)
				require.True(t, part(last, "light").Present)
				require.True(t, part(last, "air").Present)
				require.Equal(t, 1, r.bus.opened)

				r.config, r.err = good, nil
				r.install(t, nil)
				require.NoError(t, r.Reload())
				require.Equal(t, api.StateUp, r.Status().State)
				require.NotContains(t, r.statusLine(), "reload")
				r.metric(t, "ragedge_config_last_reload_successful 1")
				require.NoError(t, stop())
			})
		})
	}
}

// The new sensor of a changed block begins when the old one has let go of the bus.
func TestReloadHandsABusOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, lightSensor(), airSensor())
		stop := run(t, r.Daemon)
		time.Sleep(tinyTick)
		for i := range 5 {
			r.config.Sensors = []sensor.Config{lightSensor(), airSensor()}
			r.config.Sensors[0].Interval = encoder.Duration(time.Duration(i+2) * time.Second)
			require.NoError(t, r.Reload())
			time.Sleep(2 * tinyTick)
		}
		synctest.Wait()
		require.Equal(t, 6, r.bus.opened)
		require.Equal(t, 1, r.bus.open)
		require.False(t, r.bus.twice)
		require.True(t, part(r.results.last(t), "light").Present)
		require.NoError(t, stop())
	})
}

// A bus that hangs is not called again by what replaces its sensor, however often.
func TestReloadBesideAHangingBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, lightSensor(), airSensor())
		stop := run(t, r.Daemon)
		time.Sleep(tinyTick)
		hang := make(chan struct{})
		r.bus.set(func(b *fakeBus) { b.hang = hang })
		time.Sleep(tinyTick)
		var calls int
		r.bus.set(func(b *fakeBus) { calls = b.txs })
		for i := range 4 {
			r.config.Sensors = []sensor.Config{lightSensor(), airSensor()}
			r.config.Sensors[0].Interval = encoder.Duration(time.Duration(i+2) * time.Second)
			require.NoError(t, r.Reload())
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		r.bus.set(func(b *fakeBus) { require.Equal(t, calls, b.txs); b.hang = nil })
		require.Equal(t, 1, r.bus.opened)
		require.NoError(t, r.Live())
		require.Equal(t, "I2C bus 1 hangs in a read of sensor desk", part(r.results.last(t), "light").Reason)
		require.Equal(t, api.StateDown, r.Status().Sensors[0].State)

		close(hang)
		for range 3 {
			time.Sleep(tinyTick)
		}
		synctest.Wait()
		require.True(t, part(r.results.last(t), "light").Present)
		require.False(t, r.bus.twice)
		require.NoError(t, stop())
	})
}

// What a sensor that was taken away delivers late counts for nothing.
func TestReloadForgetsWhatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, lightSensor(), airSensor())
		stop := run(t, r.Daemon)
		time.Sleep(tinyTick)
		hang := make(chan struct{})
		r.bus.set(func(b *fakeBus) { b.hang = hang })
		time.Sleep(tinyTick)
		gone := r.pipeline.sensors[0]
		reads, errors := gone.reads.Load(), gone.errors.Load()
		push := sensor.Config{Alias: "desk", Type: sensor.Push, Channels: map[string]string{"lux": "lux"}}
		r.config.Sensors = []sensor.Config{push, airSensor()}
		require.NoError(t, r.Reload())
		r.bus.set(func(b *fakeBus) { b.hang = nil })
		close(hang)
		time.Sleep(tinyTick)
		synctest.Wait()
		require.Equal(t, reads, gone.reads.Load())
		require.Equal(t, errors, gone.errors.Load())
		require.Equal(t, reasonNothing, part(r.results.last(t), "light").Reason)
		require.NoError(t, stop())
	})
}

// startup_error = "error" is about the start: a sensor that a reload adds and that
// does not answer is down, and the daemon goes on.
func TestReloadNeverEndsTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, airSensor())
		stop := run(t, r.Daemon)
		time.Sleep(time.Second)
		r.bus.set(func(b *fakeBus) { b.err = errRemote })
		light := lightSensor()
		light.StartupError = sensor.StartupFail
		r.config.Sensors = []sensor.Config{light, airSensor()}
		require.NoError(t, r.Reload())
		time.Sleep(2 * tinyTick)
		synctest.Wait()
		require.Equal(t, api.StateDown, r.Status().Sensors[0].State)
		require.NoError(t, r.Reload(), "and it is the same sensor the next time")
		require.NoError(t, stop())
		require.ErrorIs(t, r.Reload(), api.ErrNotReady)
	})
}

// A sensor that holds up the start and is taken away holds it up no more.
func TestReloadDuringTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		light := lightSensor()
		light.StartupError = sensor.StartupProbe
		r := newReloadable(t, light, airSensor())
		hang := make(chan struct{})
		r.bus.set(func(b *fakeBus) { b.hang = hang })
		stop := run(t, r.Daemon)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Empty(t, r.notes.take())
		r.config.Sensors = []sensor.Config{airSensor()}
		require.NoError(t, r.Reload())
		synctest.Wait()
		require.Equal(t, "READY=1", r.notes.take()[0])
		close(hang)
		require.NoError(t, stop())
	})
}

// A model that comes, changes and goes: ticks follow.
func TestReloadModelComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, lightSensor(), airSensor())
		r.config.Agent.Model = ""
		r.start(t)
		stop := run(t, r.Daemon)
		time.Sleep(3 * tinyTick)
		synctest.Wait()
		collected := r.results.len()
		require.Equal(t, 3, collected)
		require.Empty(t, r.results.last(t).Model)

		r.config.Agent.Model = "tiny.safetensors"
		require.NoError(t, r.Reload())
		time.Sleep(tinyTick)
		synctest.Wait()
		require.Equal(t, collected+1, r.results.len())
		first := r.results.last(t).Model
		require.NotEmpty(t, first)
		require.Empty(t, r.results.last(t).Readings)

		r.install(t, func(f *safetensors.File) { f.Metadata["features"] = faster })
		require.NoError(t, r.Reload())
		time.Sleep(tinyTick)
		synctest.Wait()
		require.Equal(t, collected+1+5, r.results.len(), "now every 2 s")
		require.NotEqual(t, first, r.results.last(t).Model)
		require.NoError(t, r.Ready())

		r.config.Agent.Model = ""
		require.NoError(t, r.Reload())
		time.Sleep(3 * collectEvery)
		synctest.Wait()
		require.Equal(t, collected+6+3, r.results.len())
		require.Equal(t, []string{"co2", "lux"}, channelsOf(r.results.last(t)))
		require.Nil(t, r.Status().Model)
		require.NoError(t, stop())
	})
}

// faster is twoFeatures with more ticks.
const faster = `{"tick":"2s","modalities":{
	"light":{"encoder":"window","channels":["lux"],"regions":2,"every":"10s","functions":["last"],"fill":"hold","stale_after":"30s"},
	"air":{"encoder":"window","channels":["co2"],"regions":2,"every":"10s","functions":["last"],"fill":"hold","stale_after":"30s"}}}`

// Every decision that a push got back is in the file, once and in order, whatever
// is reloaded meanwhile; a file whose block did not change is never closed.
func TestReloadLosesNoResult(t *testing.T) {
	r := newReloadable(t, airSensor())
	r.config.Agent.Trigger = TriggerPush
	same, changed := filepath.Join(r.models, "same.jsonl"), filepath.Join(r.models, "changed.jsonl")
	r.config.Sinks = []sink.Config{{Type: sink.File, Path: same, Queue: 4096}, {Type: sink.File, Path: changed, Queue: 4096}}
	r.start(t)
	stop := run(t, r.Daemon)
	require.Eventually(t, func() bool { return r.reloads.announced.Load() }, 10*time.Second, time.Millisecond)

	reload := make(chan struct{})
	var pushing sync.WaitGroup
	var pushed atomic.Uint64
	pushing.Go(func() {
		for {
			select {
			case <-reload:
				return
			default:
			}
			var got result.Result
			if r.Decide(&api.Push{Samples: []api.Sample{{Channel: "co2", Value: 1}}}, &got) == nil {
				pushed.Store(got.Seq)
			}
			time.Sleep(100 * time.Microsecond)
		}
	})
	for i := range 40 {
		r.config.Sinks = []sink.Config{{Type: sink.File, Path: changed, Queue: 2000 + i}, {Type: sink.File, Path: same, Queue: 4096}}
		require.NoError(t, r.Reload())
	}
	require.Eventually(t, func() bool { return pushed.Load() > 40 }, 10*time.Second, time.Millisecond)
	close(reload)
	pushing.Wait()
	require.NoError(t, stop())
	for _, file := range []string{same, changed} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		require.Len(t, lines, int(pushed.Load()), file)
		for i, line := range lines {
			require.Contains(t, string(line), `"seq":`+strconv.Itoa(i+1)+`,`)
		}
	}
}

// A hangup reloads, and so does an edit, once the files stand still.
func TestReloadByHangupAndByEdit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, airSensor())
		hangup := make(chan os.Signal, 1)
		var mu sync.Mutex
		text := "1"
		edit := func(s string) {
			mu.Lock()
			defer mu.Unlock()
			text = s
		}
		r.env.Hangup = hangup
		r.env.Watch = func() string {
			mu.Lock()
			defer mu.Unlock()
			return text
		}
		stop := run(t, r.Daemon)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Zero(t, r.Status().Config.Reloads)
		hangup <- os.Interrupt
		synctest.Wait()
		require.EqualValues(t, 1, r.Status().Config.Reloads)

		for _, s := range []string{"2", "3", "4"} {
			edit(s)
			time.Sleep(watchEvery)
			synctest.Wait()
			require.EqualValues(t, 1, r.Status().Config.Reloads, "still being written")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 2, r.Status().Config.Reloads, "once")
		require.NoError(t, stop())
	})
}

func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	main := writeFile(t, dir, "c.toml", "a")
	seen := map[string]bool{}
	look := func() {
		text := Fingerprint(main, DropIns(main))
		require.False(t, seen[text])
		seen[text] = true
		require.Equal(t, text, Fingerprint(main, DropIns(main)))
	}
	look()
	writeFile(t, dir, "c.toml", "ab")
	look()
	drop := writeFile(t, dir, "c.d/1.toml", "x")
	look()
	require.NoError(t, os.Chtimes(drop, time.Time{}, time.Unix(1, 0)))
	look()
	require.NoError(t, os.Rename(drop, filepath.Join(dir, "c.d/2.toml")))
	look()
	require.NoError(t, os.Remove(main))
	look()
}

// A model that fails its self-check does not start either.
func TestStartTriesTheModel(t *testing.T) {
	r := newReloadable(t, airSensor())
	r.install(t, func(f *safetensors.File) { fill("project.light.bias", 3e38)(f); fill("head.0.weight", 1e30)(f) })
	_, err := New(r.config, Environment{Notify: r.notes})
	require.ErrorIs(t, err, ErrData)
	require.ErrorContains(t, err, "self-check")
}

// "Bad file at hot reload", the corpus: a model that is cut anywhere, that lies
// about its header, or that is no file, leaves the old one at work, without a gap.
func TestReloadOfBadModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReloadable(t, lightSensor(), airSensor())
		stop := run(t, r.Daemon)
		time.Sleep(tinyTick)
		synctest.Wait()
		path := filepath.Join(r.models, "tiny.safetensors")
		good, err := os.ReadFile(path)
		require.NoError(t, err)
		digest := r.Status().Model.Digest
		var corpus [][]byte
		for n := 0; n < len(good); n += 37 {
			corpus = append(corpus, good[:n])
		}
		for _, length := range []byte{0, 1, 0xff} {
			for i := range 8 {
				lie := bytes.Clone(good)
				lie[i] = length
				if !bytes.Equal(lie, good) {
					corpus = append(corpus, lie)
				}
			}
		}
		corpus = append(corpus, append(bytes.Clone(good), 0), bytes.Repeat([]byte{'{'}, 4096), []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
		for i, bad := range corpus {
			require.NoError(t, os.WriteFile(path, bad, 0o600))
			require.ErrorIs(t, r.Reload(), ErrData, "file %d", i)
		}
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.Mkdir(path, 0o700))
		require.Error(t, r.Reload(), "a directory")

		before := r.results.len()
		time.Sleep(3 * tinyTick)
		synctest.Wait()
		require.Equal(t, before+3, r.results.len())
		require.Equal(t, digest, r.results.last(t).Model)
		require.True(t, part(r.results.last(t), "light").Present)
		require.EqualValues(t, len(corpus)+1, r.Status().Config.Failed)
		require.NoError(t, stop())
	})
}
