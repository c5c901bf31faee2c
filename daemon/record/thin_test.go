package record

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// viewed is a line of Thin.
type viewed struct {
	Seq      uint64
	Time     time.Time
	Readings map[string]struct {
		Value  *float64
		Reason string
		Age    float64 `json:"age_s"`
	}
	Labelled *struct {
		Label, Source string
		From, To      time.Time
	}
}

func thin(t *testing.T, dir, name string, v View) (all []viewed) {
	t.Helper()
	f, err := OpenSegment(dir, name)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	if v.Lines == 0 {
		v.Lines = 1000
	}
	require.NoError(t, Thin(t.Context(), f, info.Size(), v, func(line []byte) error {
		var x viewed
		require.NoError(t, json.Unmarshal(line, &x), "%s", line)
		all = append(all, x)
		return nil
	}))
	return all
}

// tenMinutes records one sensor every second, which fails in the middle, a Result
// every 10 s and a label, into a directory on the machine's own disk.
func tenMinutes(t *testing.T, close bool) (dir string, begin time.Time) {
	dir = t.TempDir()
	clock := &testClock{}
	r := New(Config{When: Always, Directory: dir, Durable: DurableNone}, Run{Tick: 10 * time.Second,
		Sensors: []Sensor{{Alias: "desk", Type: "i2c", Channels: []string{"lux"}}}}, clock, OS{}, slog.New(slog.DiscardHandler), nil)
	begin = clock.Wall(0)
	for i := range 600 {
		at := time.Duration(i) * time.Second
		clock.now.Store(int64(at))
		if i >= 300 && i < 310 {
			r.Reading(0, at, nil, "failed", "remote I/O error")
		} else {
			r.Reading(0, at, []encoder.Sample{{Channel: "lux", Value: float64(i), At: at}}, "", "")
		}
		if i%10 == 0 {
			r.Result(&result.Result{Seq: uint64(i/10 + 1), Mono: at, Time: clock.Wall(at), Label: "dark", Labels: []string{"dark"}})
		}
		if i == 200 {
			require.NoError(t, r.Label(t.Context(), &Label{Label: "noon", From: at - 100*time.Second, Source: "test"}))
		}
	}
	if close {
		require.NoError(t, r.Close(context.Background()))
	} else {
		require.NoError(t, r.Flush(context.Background()))
		t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	}
	return dir, begin
}

// TestThin: a line for each stretch of time, with what is newest in it.
func TestThin(t *testing.T) {
	for _, closed := range []bool{true, false} {
		dir, begin := tenMinutes(t, closed)
		all, err := List(dir, 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		s := all[0]
		require.Equal(t, !closed, s.Open)
		require.True(t, s.Begin.Equal(begin), "%v %v", s.Begin, begin)
		require.True(t, s.End.Equal(begin.Add(599*time.Second)))
		if closed {
			require.Equal(t, int64(600+60+1+1), s.Messages, "readings, Results, label, clock")
			require.Equal(t, int64(1), s.Labels)
		}

		lines := thin(t, dir, s.Name, View{Every: 20 * time.Second})
		require.Len(t, lines, 30+1)
		require.Equal(t, uint64(2), lines[0].Seq, "of two Results the newer one")
		require.InDelta(t, 19, *lines[0].Readings["lux"].Value, 0)
		var label *viewed
		for i := range lines {
			if lines[i].Labelled != nil {
				label = &lines[i]
			}
		}
		require.Equal(t, "noon", label.Labelled.Label)
		require.True(t, label.Labelled.From.Equal(begin.Add(100*time.Second)))
		require.Zero(t, label.Labelled.To)

		part := thin(t, dir, s.Name, View{From: begin.Add(301 * time.Second), To: begin.Add(308 * time.Second), Every: time.Second})
		require.Len(t, part, 8)
		require.Zero(t, part[0].Seq)
		require.True(t, part[0].Time.Equal(begin.Add(301*time.Second)))
		require.Equal(t, "remote I/O error", part[0].Readings["lux"].Reason)

		picture := thin(t, dir, s.Name, View{})
		require.InDelta(t, pictureLines, len(picture), 3)
	}
}

// TestThinIsBounded: in lines, and in time.
func TestThinIsBounded(t *testing.T) {
	dir, _ := tenMinutes(t, true)
	all, err := List(dir, 1)
	require.NoError(t, err)
	f, err := OpenSegment(dir, all[0].Name)
	require.NoError(t, err)
	defer f.Close()
	n := 0
	count := func([]byte) error { n++; return nil }
	require.ErrorIs(t, Thin(t.Context(), f, all[0].Bytes, View{Every: time.Second, Lines: 7}, count), ErrTooMuch)
	require.Equal(t, 7, n)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, Thin(ended, f, all[0].Bytes, View{Lines: 7}, count), context.Canceled)
	// Cut anywhere, it is read as far as it goes.
	for size := all[0].Bytes; size >= 0; size -= 97 {
		n = 0
		require.NoError(t, Thin(t.Context(), f, size, View{Every: time.Minute, Lines: 1000}, count))
		require.LessOrEqual(t, n, 12)
	}
}

// FuzzThin: whatever a file holds costs neither a panic nor more lines than asked for.
func FuzzThin(f *testing.F) {
	f.Add([]byte(mcapMagic))
	f.Fuzz(func(t *testing.T, file []byte) {
		n := 0
		_ = Thin(t.Context(), strings.NewReader(string(file)), int64(len(file)), View{Lines: 50}, func([]byte) error { n++; return nil })
		require.LessOrEqual(t, n, 50)
		s := Segment{Bytes: int64(len(file))}
		s.readEnding(strings.NewReader(string(file)))
	})
}

// TestSegmentNames: nothing but the segments of the directory can be opened.
func TestSegmentNames(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "x.mcap")
	require.NoError(t, os.WriteFile(outside, []byte("secret"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a-0001.mcap"), nil, 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "link.mcap")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder.mcap"), 0o700))
	for name, want := range map[string]bool{
		"a-0001.mcap": true, "a-0001.mcap.open": false, "link.mcap": false, "folder.mcap": false, "../x.mcap": false, outside: false,
		"": false, ".mcap": false, "a.mcap\x00": false, "a\"b.mcap": false, "a.mcap.bad": false, "a.txt": false, strings.Repeat("a", 200) + ".mcap": false,
	} {
		f, err := OpenSegment(dir, name)
		if want {
			require.NoError(t, err, name)
			f.Close()
			continue
		}
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
	all, err := List(dir, 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	all, err = List(filepath.Join(dir, "none"), 10)
	require.NoError(t, err)
	require.Empty(t, all)
}
