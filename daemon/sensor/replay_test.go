package sensor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/encoder"
)

// files opens recordings that a test holds as text.
type files map[string]string

func (f files) open(name string) (io.ReadCloser, error) {
	text, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func recorded(alias, file string, change func(*Config)) Config {
	c := Config{Alias: alias, Type: Recorded, File: file, Time: []string{"t"}, Format: "2006 15:04:05", Speed: "max"}
	if change != nil {
		change(&c)
	}
	return c
}

var origin = time.Now().Add(-time.Second)

func sinceOrigin() time.Duration { return time.Since(origin) }

// story is what a replay did, one line for each call: "0s 1 a=1 b=2 label",
// "0s 1 error", and "0s" when the timeline advanced.
type story struct{ lines []string }

func (s *story) deliver(r Reading) {
	line := fmt.Sprintf("%v %d", r.At, r.Sensor)
	for _, sample := range r.Samples {
		line += fmt.Sprintf(" %s=%v", sample.Channel, sample.Value)
		if sample.At != r.At {
			line += "!"
		}
	}
	if r.Err != nil {
		line += " " + r.Err.Error()
	}
	if r.Label != "" {
		line += " is " + r.Label
	}
	s.lines = append(s.lines, line)
}

func (s *story) advance(at time.Duration) { s.lines = append(s.lines, at.String()) }

func TestReplay(t *testing.T) {
	recordings := files{
		"room.csv": "\ufefft, light ,heat,people\r\n" +
			"2017 08:00:00,1,20,none\r\n" +
			"2017 08:00:01,2,,\"one, two\"\r\n" +
			"2017 08:00:01,3,21, none \r\n" +
			"\r\n" +
			"2017 08:00:04, ,,\r\n",
		"door.csv": "open,t\n0,2017 07:59:59\n1,2017 08:00:01\nNaN,2017 08:00:02\n",
	}
	configs := []Config{
		recorded("light", "room.csv", func(c *Config) {
			c.Channels, c.Label = map[string]string{"light": "light1"}, "people"
			c.Unplug = [][2]string{{"2017 08:00:01", "2017 08:00:04"}}
		}),
		light("desk"),
		recorded("door", "door.csv", nil),
		recorded("all", "room.csv", func(c *Config) { c.Label = "people" }),
	}
	want := []string{
		"0s 2 open=0", "0s",
		"1s 0 light1=1 is none", "1s 3 light=1 heat=20 is none", "1s",
		"2s 0 unplugged is one, two", "2s 0 unplugged is none",
		"2s 2 open=1",
		"2s 3 light=2 is one, two", "2s 3 light=3 heat=21 is none", "2s",
		"3s 2 door.csv:4: column open: not a finite number: NaN", "3s",
		"5s 0", "5s 3", "5s",
	}
	r, err := OpenReplay(configs, sinceOrigin, recordings.open)
	require.NoError(t, err)
	require.Equal(t, time.Date(2017, 1, 1, 7, 59, 59, 0, time.UTC), r.Start())
	require.Equal(t, 5*time.Second, r.End())
	require.Equal(t, []string{"light1"}, r.Channels(0))
	require.Nil(t, r.Channels(1))
	require.Equal(t, []string{"light", "heat"}, r.Channels(3))
	for range 2 { // a replay can be played again
		var s story
		require.NoError(t, r.Run(t.Context(), s.deliver, s.advance))
		require.Equal(t, want, s.lines)
		require.Zero(t, r.Due())
	}
}

func TestReplayErrorsAreOfTheirKind(t *testing.T) {
	recordings := files{"a.csv": "t,v\n2017 08:00:00,1\n2017 08:00:01,NaN\n2017 08:00:02,-Inf\n2017 08:00:03,2\n"}
	c := recorded("a", "a.csv", func(c *Config) { c.Unplug = [][2]string{{"2017 08:00:03", "2017 08:00:04"}} })
	r, err := OpenReplay([]Config{c}, sinceOrigin, recordings.open)
	require.NoError(t, err)
	var l log
	require.NoError(t, r.Run(t.Context(), l.deliver, func(time.Duration) {}))
	errs := l.errors()
	require.Len(t, errs, 3)
	require.ErrorIs(t, errs[0], ErrNonFinite)
	require.ErrorIs(t, errs[1], ErrNonFinite)
	require.ErrorIs(t, errs[2], ErrUnplugged)
	require.Equal(t, []float64{1}, l.values())
}

func TestReplayZone(t *testing.T) {
	c := recorded("a", "a.csv", func(c *Config) { c.Zone = "Europe/Berlin" })
	r, err := OpenReplay([]Config{c}, sinceOrigin, files{"a.csv": "t,v\n2017 13:31:02,1\n"}.open)
	if err != nil && strings.Contains(err.Error(), "unknown time zone") {
		t.Skip("this machine has no time zone data")
	}
	require.NoError(t, err)
	require.Equal(t, time.Date(2017, 1, 1, 12, 31, 2, 0, time.UTC), r.Start())
	require.Zero(t, r.End())
}

// Ten seconds at four times life take two and a half; the timeline moves in
// steps of at most 100 ms of real time and never past a row that is to come.
func TestReplayPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recordings := files{"a.csv": "t,v\n2017 08:00:00,1\n2017 08:00:09,2\n2017 08:00:10,3\n"}
		begun := time.Now()
		now := func() time.Duration { return time.Since(begun) + time.Second }
		c := recorded("a", "a.csv", func(c *Config) { c.Speed = "4" })
		r, err := OpenReplay([]Config{c}, now, recordings.open)
		require.NoError(t, err)
		var last, lastAt time.Duration
		var came []time.Duration
		advanced := 0
		check := func(at time.Duration) {
			require.LessOrEqual(t, now()-last, 101*time.Millisecond)
			require.GreaterOrEqual(t, at, lastAt)
			last, lastAt = now(), at
		}
		last = now()
		require.NoError(t, r.Run(t.Context(), func(r Reading) {
			check(r.At)
			came = append(came, time.Since(begun).Round(time.Millisecond))
		}, func(at time.Duration) {
			check(at)
			require.InDelta(t, float64(4*time.Since(begun)), float64(at), 1e6)
			advanced++
			require.GreaterOrEqual(t, r.Due(), now())
		}))
		require.Equal(t, []time.Duration{0, 2250 * time.Millisecond, 2500 * time.Millisecond}, came)
		require.Equal(t, 10*time.Second, lastAt)
		require.InDelta(t, 27, advanced, 3)
	})
}

func TestReplayStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recordings := files{"a.csv": "t,v\n2017 08:00:00,1\n2017 20:00:00,2\n"}
		for _, speed := range []string{"1", "max"} {
			c := recorded("a", "a.csv", func(c *Config) { c.Speed = speed })
			r, err := OpenReplay([]Config{c}, sinceOrigin, recordings.open)
			require.NoError(t, err)
			ctx, stop := context.WithCancel(t.Context())
			var s story
			err = r.Run(ctx, func(r Reading) { s.deliver(r); stop() }, s.advance)
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, []string{"0s 0 v=1", "0s"}, s.lines)
		}
	})
}

func TestRecordingErrors(t *testing.T) {
	long := strings.Repeat("7", maxRecord+8192)
	for _, c := range []struct {
		name, text, want string
		change           func(*Config)
	}{
		{"empty", "", "a.csv: empty: the first line must name the columns", nil},
		{"only a mark", "\ufeff", "a.csv: empty", nil},
		{"no rows", "t,v\n", "a.csv:1: no rows after the header", nil},
		{"no time column", "time,v\n1,2\n", "a.csv:1: column t: not in the header, but named by the key time; the file has time, v", nil},
		{"no label column", "t,v\n", "a.csv:1: column who: not in the header, but named by the key label", func(c *Config) { c.Label = "who" }},
		{"no value column", "t,v\n", "a.csv:1: column w: not in the header, but named by the key channels", func(c *Config) { c.Channels = map[string]string{"w": "w"} }},
		{"nothing to deliver", "t\n2017 08:00:00\n", "a.csv:1: no column is left for a channel", nil},
		{"repeated column", "t,v,v\n", "a.csv:1: column v: named twice in the header", nil},
		{"nameless column", "t,v,\n", `a.csv:1: column 3: "" is no channel name`, nil},
		{"ragged", "t,v\n2017 08:00:00,1\n2017 08:00:01\n", "a.csv:3: 1 cells, the header has 2", nil},
		{"number", "t,v\n2017 08:00:00,1\n\n2017 08:00:01,1,5\n", "a.csv:4: 3 cells, the header has 2", nil},
		{"no number", "t,v\n2017 08:00:00,1\n2017 08:00:01,warm\n", `a.csv:3: column v: "warm" is not a number`, nil},
		{"too large", "t,v\n2017 08:00:00,1e999\n", `a.csv:2: column v: "1e999" is not a number`, nil},
		{"no time", "t,v\n2017 08:00:00,1\n8h,1\n", `a.csv:3: column t: "8h" is not a time like "2006 15:04:05"`, nil},
		{"time backwards", "t,v\n2017 08:00:01,1\n2017 08:00:00,1\n", `a.csv:3: column t: time goes backwards: "2017 08:00:00" is before the row above`, nil},
		{"no date", "t,v\n08:00:00,1\n", "a.csv:2: column t: the year 0 is outside 1678 to 2261: the time needs a date", func(c *Config) { c.Format = time.TimeOnly }},
		{"far year", "t,v\n3000-01-01,1\n", "a.csv:2: column t: the year 3000 is outside", func(c *Config) { c.Format = time.DateOnly }},
		{"bare quote", "t,v\n2017 08:00:00,1\"\n", `a.csv:2: bare " in non-quoted-field`, nil},
		{"endless quote", "t,v\n2017 08:00:00,\"1\n" + strings.Repeat("2017 08:00:00,1\n", 10000), "a.csv:2: a line of more than 65536 bytes", nil},
		{"long line", "t,v\n2017 08:00:00," + long + "\n", "a.csv:2: a line of more than 65536 bytes", nil},
		{"long header", "t,v," + long, "a.csv:1: a line of more than 65536 bytes", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := recorded("a", "a.csv", c.change)
			_, err := OpenReplay([]Config{config}, sinceOrigin, files{"a.csv": c.text}.open)
			require.ErrorContains(t, err, "sensor a: "+c.want)
			_, is := errors.AsType[*RecordingError](err)
			require.True(t, is)
		})
	}
}

func TestReplayRefuses(t *testing.T) {
	recordings := files{"a.csv": "t,v\n2020-01-01,1\n", "old.csv": "t,v\n1700-01-01,1\n"}
	daily := func(c *Config) { c.Format = time.DateOnly }
	for _, c := range []struct {
		name    string
		configs []Config
		want    string
	}{
		{"nothing to play", []Config{light("desk")}, "no sensor of type replay"},
		{"no file", []Config{recorded("a", "b.csv", daily)}, "sensor a: open b.csv: file does not exist"},
		{"two speeds", []Config{recorded("a", "a.csv", daily), recorded("b", "a.csv", func(c *Config) { daily(c); c.Speed = "" })},
			`sensor b: speed: "1", but another recording has "max"`},
		{"too far apart", []Config{recorded("a", "a.csv", daily), recorded("b", "old.csv", daily)}, "more than 292 years apart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenReplay(c.configs, sinceOrigin, recordings.open)
			require.ErrorContains(t, err, c.want)
			_, is := errors.AsType[*RecordingError](err)
			require.False(t, is)
		})
	}
}

// The recording fails to be read half-way.
func TestReplayReadError(t *testing.T) {
	broken := errors.New("input/output error")
	open := func(string) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("t,v\n2017 08:00:00,1\n"), errReader{broken})), nil
	}
	_, err := OpenReplay([]Config{recorded("a", "a.csv", nil)}, sinceOrigin, open)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "a.csv:3: input/output error")
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestOpenFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.csv")
	_, err := OpenFile(name)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = OpenFile(filepath.Dir(name))
	require.ErrorContains(t, err, "not a regular file")
	require.NoError(t, os.WriteFile(name, []byte("t,v\n"), 0o600))
	f, err := OpenFile(name)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// The real recording, from an embedded file system as a program carries it.
func TestReplayRoom(t *testing.T) {
	text, err := os.ReadFile("testdata/room.csv")
	require.NoError(t, err)
	embedded := fstest.MapFS{"room.csv": {Data: text}}
	var configs []Config
	for _, group := range [][]string{{"S1_Light", "S4_Light"}, {"S5_CO2"}} {
		channels := map[string]string{}
		for _, name := range group {
			channels[name] = strings.ToLower(name)
		}
		configs = append(configs, Config{
			Alias: "room", Type: Recorded, File: "room.csv", Time: []string{"Date", "Time"},
			Format: "2006/01/02 15:04:05", Label: "Room_Occupancy_Count", Speed: "max", Channels: channels,
		})
	}
	r, err := OpenReplay(configs, sinceOrigin, func(name string) (io.ReadCloser, error) { return embedded.Open(name) })
	require.NoError(t, err)
	require.Equal(t, time.Date(2017, 12, 22, 13, 31, 2, 0, time.UTC), r.Start())
	var l log
	require.NoError(t, r.Run(t.Context(), l.deliver, func(time.Duration) {}))
	got := l.all()
	require.Len(t, got, 24)
	require.Equal(t, Reading{Sensor: 0, Label: "2", Samples: []encoder.Sample{{Channel: "s1_light", Value: 165}, {Channel: "s4_light", Value: 73}}}, got[0])
	require.Equal(t, Reading{Sensor: 1, Label: "2", Samples: []encoder.Sample{{Channel: "s5_co2", Value: 870}}}, got[1])
	require.Equal(t, 61*time.Second, got[2].At)
	require.Equal(t, r.End(), got[23].At)
}

func TestReplayAllocatesNothingPerRow(t *testing.T) {
	text := "t,v,w,who\n"
	for i := range 1000 {
		text += fmt.Sprintf("%s,%d,NaN,%d\n", time.Unix(int64(i), 0).UTC().Format(time.DateTime), i, i%3)
	}
	with := func(channel string) Config {
		return recorded(channel, "a.csv", func(c *Config) {
			c.Format, c.Label, c.Channels = time.DateTime, "who", map[string]string{channel: channel}
		})
	}
	r, err := OpenReplay([]Config{with("v"), with("w")}, sinceOrigin, files{"a.csv": text}.open)
	require.NoError(t, err)
	good, bad := 0, 0
	deliver := func(r Reading) {
		good += len(r.Samples)
		if r.Err != nil {
			bad++
		}
	}
	allocations := testing.AllocsPerRun(1, func() {
		if r.Run(t.Context(), deliver, func(time.Duration) {}) != nil {
			panic("the replay failed")
		}
	})
	require.Less(t, allocations, 10., "a few for the whole run of 1000 rows")
	require.Equal(t, 2000, good)
	require.Equal(t, 2000, bad)
}

// Whatever a file holds, it is refused with a place in it or replayed in order.
func FuzzRecording(f *testing.F) {
	f.Add("t,v\n2017 08:00:00,1\n")
	f.Add("\ufefft,v\r\n2017 08:00:00,\r\n2017 08:00:01,NaN\r\n")
	f.Add("t,v\n2017 08:00:00,\"1\n")
	f.Add("t,t\n1\n\n,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := OpenReplay([]Config{recorded("a", "a.csv", nil)}, sinceOrigin, files{"a.csv": text}.open)
		if err != nil {
			e, is := errors.AsType[*RecordingError](err)
			require.True(t, is, err)
			require.Equal(t, "a.csv", e.File)
			return
		}
		last := time.Duration(0)
		require.NoError(t, r.Run(t.Context(), func(r Reading) {
			require.GreaterOrEqual(t, r.At, last)
			last = r.At
			for _, s := range r.Samples {
				require.False(t, math.IsNaN(s.Value) || math.IsInf(s.Value, 0))
			}
		}, func(at time.Duration) { require.Equal(t, last, at) }))
		require.Equal(t, r.End(), last)
	})
}
