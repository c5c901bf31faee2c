package sensor

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/encoder"
)

// tone writes seconds of a sine to a file of samples at 16 kHz.
func tone(t *testing.T, hertz, amplitude, seconds float64) string {
	var data []byte
	for i := range int(seconds * 16000) {
		v := amplitude * 32767 * math.Sin(2*math.Pi*hertz*float64(i)/16000)
		data = binary.LittleEndian.AppendUint16(data, uint16(int16(math.Round(v))))
	}
	file := filepath.Join(t.TempDir(), "tone")
	require.NoError(t, os.WriteFile(file, data, 0o600))
	return file
}

// microphone is an audio sensor whose samples a shell prints.
func microphone(text string, args ...any) Config {
	return Config{Alias: "mic", Type: Audio, Command: []string{"/bin/sh", "-c", fmt.Sprintf(text, args...)}}
}

func (l *log) byChannel() map[string][]float64 {
	all := map[string][]float64{}
	for _, r := range l.all() {
		for _, s := range r.Samples {
			all[s.Channel] = append(all[s.Channel], s.Value)
		}
	}
	return all
}

// A file comes faster than life: three frames, and what is left counts for nothing.
func TestAudioReads(t *testing.T) {
	c := microphone("cat %s; exec sleep 60", tone(t, 1000, 0.5, 0.35))
	c.Bands = []string{"125-250Hz", "900-1100Hz"}
	c.Mels = 20
	r := runProgram(t, c)
	until(t, func() bool { return len(r.log.all()) == 3 })
	values := r.log.byChannel()
	require.Len(t, values, 2+2+20)
	for i := range 3 {
		require.InDelta(t, -9.03, values["mic.level"][i], 0.01, "half of full scale, and a sine: 6 + 3 dB")
		require.InDelta(t, -6.02, values["mic.peak"][i], 0.01)
		require.InDelta(t, -9.03, values["mic.band2"][i], 0.1)
		require.Less(t, values["mic.band1"][i], -60.)
		require.Greater(t, values["mic.mel7"][i], -13., "whose middle is near 1 kHz")
		require.Less(t, values["mic.mel15"][i], -60.)
	}
	require.Equal(t, 1, r.log.all()[0].Sensor)
	require.NotZero(t, r.log.all()[0].At)
	r.end(t)
}

// Silence, an offset, and the ends of the scale have values.
func TestAudioEdges(t *testing.T) {
	c := Config{Type: Audio, Mels: 10, Bands: []string{"100-200Hz"}}.WithDefaults()
	h, err := newHearing(&c)
	require.NoError(t, err)
	values := make([]float64, 13)
	measure := func(v int16) []float64 {
		for i := range h.x {
			binary.LittleEndian.PutUint16(h.bytes[2*i:], uint16(v))
		}
		h.measure(values)
		return values
	}
	for _, v := range measure(0) {
		require.Equal(t, float64(encoder.Floor), v)
	}
	require.Equal(t, 0., measure(math.MinInt16)[1])
	for i, v := range measure(300) {
		if i != 1 {
			require.Equal(t, float64(encoder.Floor), v, "an offset is no sound")
		}
	}
	for i := range h.x {
		binary.LittleEndian.PutUint16(h.bytes[2*i:], uint16(int16(1-2*(i%2)))*32767)
	}
	h.measure(values)
	require.InDelta(t, 0, values[0], 0.001, "a square wave at full scale")
	require.Zero(t, testing.AllocsPerRun(10, func() { h.measure(values) }), "a frame allocates nothing")
}

// The last line of a program that fails is the reason, a busy device for one.
func TestAudioFails(t *testing.T) {
	for line, want := range map[string]struct {
		text string
		is   error
	}{
		"arecord: main:831: audio open error: Device or resource busy":   {"another program has the device", nil},
		"arecord: main:831: audio open error: No such file or directory": {"the program ended: exit status 1: it said: arecord", ErrUnplugged},
		"arecord: pcm_read:2221: read error: No such device":             {"read error", ErrUnplugged},
		"arecord: pcm_read:2221: read error: Broken pipe":                {"exit status 1: it said: arecord: pcm_read:2221: read error: Broken pipe", nil},
	} {
		r := runProgram(t, microphone("echo first >&2; echo '%s' >&2; exit 1", line))
		until(t, func() bool { return len(r.log.errors()) > 0 })
		err := r.log.errors()[0]
		require.ErrorContains(t, err, want.text)
		require.ErrorContains(t, err, line)
		if want.is != nil {
			require.ErrorIs(t, err, want.is)
		} else {
			require.NotErrorIs(t, err, ErrUnplugged)
		}
		r.end(t)
	}
}

// TestRow40Overrun: an overrun that ends the program costs a second: it is begun
// again, and its sound goes on.
func TestRow40Overrun(t *testing.T) {
	r := runProgram(t, microphone("cat %s; echo 'read error: Broken pipe' >&2; exit 1", tone(t, 440, 0.1, 0.1)))
	until(t, func() bool { return r.Starts() == 2 && len(r.log.values()) >= 4 })
	require.NotEmpty(t, r.log.errors())
	r.end(t)
}

// Sound that stops is noticed, and the program with all it started is killed.
func TestAudioStops(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	r := runProgram(t, microphone("cat %s; sleep 600 & echo $! > %s; wait", tone(t, 440, 0.1, 0.1), pid))
	until(t, func() bool { return len(r.log.errors()) > 0 })
	require.ErrorIs(t, r.log.errors()[0], ErrTimeout)
	require.ErrorContains(t, r.log.errors()[0], "no sound in 1s")
	until(t, func() bool { return !alive(t, pid) })
	r.end(t)
}

func TestAudioWithoutArecord(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	c := Config{Alias: "mic", Type: Audio, StartupError: StartupFail}
	require.Equal(t, []string{"arecord", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "16000", "-D", "default", "-"}, new(c.WithDefaults()).audioCommand())
	require.NoError(t, c.Check())
	p := NewPrograms([]Config{c}, func() time.Duration { return 1 }, Hardware{}, nil)[0]
	err := p.Run(t.Context(), func(Reading) {})
	require.ErrorContains(t, err, "sensor mic")
	require.ErrorContains(t, err, "install alsa-utils")
}

// A frame allocates nothing on its way, but what the pipe's deadline takes.
func TestAudioAllocates(t *testing.T) {
	c := Config{Alias: "mic", Type: Audio, Mels: 40}.WithDefaults()
	p := NewPrograms([]Config{c}, func() time.Duration { return 1 }, Hardware{}, nil)[0]
	silent := time.AfterFunc(time.Hour, func() {})
	defer silent.Stop()
	frames := 0
	count := func(limit int) float64 {
		return testing.AllocsPerRun(1, func() {
			frames = 0
			p.sound(context.Background(), &endless{limit: limit * 3200}, silent, func(Reading) { frames++ })
		})
	}
	many := 200
	if testing.Short() {
		many = 60
	}
	require.InDelta(t, count(10), count(many), 20, "the number of frames makes no difference")
	require.Equal(t, many, frames)
}

// endless is silence of a length.
type endless struct{ limit int }

func (e *endless) Read(data []byte) (int, error) {
	if e.limit == 0 {
		return 0, io.EOF
	}
	n := min(len(data), e.limit)
	clear(data[:n])
	e.limit -= n
	return n, nil
}

func TestAudioCheck(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Rate = 100 }, "rate: 100 Hz is not in 4000 to 192000"},
		{func(c *Config) { c.Bands = []string{"high"} }, `bands: "high" is not two frequencies as in "125-250Hz"`},
		{func(c *Config) { c.Bands = []string{"7000-9000Hz"} }, "bands: 7000-9000Hz: at a rate of 16000 Hz there is nothing above 8000 Hz"},
		{func(c *Config) { c.Bands = []string{"100-101Hz"} }, "bands: 100-101Hz: narrower than the 15.6 Hz"},
		{func(c *Config) { c.Bands = make([]string, 33) }, "bands: 33 are more than 32"},
		{func(c *Config) { c.Mels = 200 }, "mels: 200 filters: want 1 to 128"},
		{func(c *Config) { c.Mels = -1 }, "mels: -1 filters: want 1 to 128"},
		{func(c *Config) { c.Device = "-x" }, "device: \"-x\" is not a device of ALSA"},
		{func(c *Config) { c.Device, c.Command = "hw:1", []string{"/bin/cat"} }, "device: the command says where sound comes from"},
		{func(c *Config) { c.Command = []string{"arecord"} }, `command: "arecord" is not an absolute path`},
		{func(c *Config) { c.Interval = 1 }, "interval: 1ns is not in 10ms to 10s"},
		{func(c *Config) { c.Timeout = 1 }, "timeout: 1ns is not in 20ms to 24h0m0s"},
		{func(c *Config) {
			c.Interval, c.Timeout = encoder.Duration(time.Second), encoder.Duration(time.Second/2)
		}, "timeout: 500ms: a frame of sound takes the interval, 1s"},
		{func(c *Config) { c.Channels = map[string]string{"band1": "x"} }, `channels: audio has no reading "band1", only: level (dBFS), peak (dBFS)`},
		{func(c *Config) { c.Grid = "2x2" }, "grid: a key of type camera, which type audio does not have"},
	} {
		config := Config{Alias: "mic", Type: Audio}
		c.change(&config)
		require.ErrorContains(t, config.Check(), c.want)
	}
	c := Config{Alias: "mic", Type: Audio, Device: "hw:1", Bands: []string{"0-100Hz"}, Mels: 2, Channels: map[string]string{"mel2": "x", "band1": "y"}}
	require.NoError(t, c.Check())
	require.Equal(t, []string{"x", "y"}, c.ChannelNames())
}
