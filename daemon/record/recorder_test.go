package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foxglove/mcap/go/mcap"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// testClock stands where it is put.
type testClock struct{ now atomic.Int64 }

func (c *testClock) Now() time.Duration { return time.Duration(c.now.Load()) }

func (c *testClock) Wall(at time.Duration) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(at)
}

func (c *testClock) Quality() string { return "ntp" }

func testRun() Run {
	return Run{Version: "test", BootID: "b", KernelSet: "generic", Tick: time.Second, Sensors: []Sensor{
		{"desk", "i2c", []string{"lux"}}, {"air", "push", []string{"co2"}},
	}}
}

// small is a configuration whose segments are a few kilobytes.
func small(durable string) Config {
	return Config{When: Always, Durable: durable, SegmentBytes: fullChunk + 6<<10, MaxBytes: 1 << 30}
}

func newTest(c Config, files FileSystem) (*Recorder, *testClock) {
	clock := &testClock{}
	return New(c, testRun(), clock, files, slog.New(slog.DiscardHandler), nil), clock
}

// note records a reading whose value is its number.
func note(r *Recorder, n int) {
	at := time.Duration(n) * time.Millisecond
	r.Reading(0, at, []encoder.Sample{{Channel: "lux", At: at, Value: float64(n)}}, "", "")
}

// load reads everything on a disk.
func load(t testing.TB, disk *simFS) *Recording {
	t.Helper()
	r, err := Load(sources(t, disk))
	require.NoError(t, err)
	return r
}

func sources(t testing.TB, disk *simFS) []Source {
	t.Helper()
	entries, err := disk.List()
	require.NoError(t, err)
	var all []Source
	for _, e := range entries {
		if _, closed := isClosed(e.Name); closed {
			f, err := disk.Open(e.Name)
			require.NoError(t, err)
			all = append(all, Source{e.Name, f, e.Size, false})
		}
	}
	return all
}

// values are those of all readings.
func values(r *Recording) (all []int) {
	for _, e := range r.Events {
		if e.Kind == ReadingEvent && len(e.Samples) > 0 {
			all = append(all, int(e.Samples[0].Value))
		}
	}
	return all
}

// count is 1 to n.
func count(n int) (all []int) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

// foreign reads a segment with the format's own library, through its index and
// from front to back, and returns the number of messages.
func foreign(t testing.TB, s Source) int {
	t.Helper()
	data := make([]byte, s.Size)
	_, err := s.ReadAt(data, 0)
	require.NoError(t, err)
	reader, err := mcap.NewReader(bytes.NewReader(data))
	require.NoError(t, err, s.Name)
	defer reader.Close()
	info, err := reader.Info()
	require.NoError(t, err, s.Name)
	indexed, err := reader.Messages(mcap.UsingIndex(true), mcap.InOrder(mcap.LogTimeOrder))
	require.NoError(t, err, s.Name)
	n := 0
	for ; ; n++ {
		if _, _, _, err = indexed.NextInto(nil); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, io.EOF, s.Name)
	require.EqualValues(t, info.Statistics.MessageCount, n, s.Name)
	require.Len(t, info.MetadataIndexes, 1)
	about, err := reader.GetMetadata(info.MetadataIndexes[0].Offset)
	require.NoError(t, err)
	require.Equal(t, "test", about.Metadata["version"])
	lexer, err := mcap.NewLexer(bytes.NewReader(data), &mcap.LexerOptions{ValidateChunkCRCs: true})
	require.NoError(t, err)
	defer lexer.Close()
	m := 0
	for {
		token, _, err := lexer.Next(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, s.Name)
		if token == mcap.TokenMessage {
			m++
		}
	}
	require.Equal(t, n, m, s.Name)
	return n
}

func TestRecordAndLoad(t *testing.T) {
	disk := newSimFS()
	r, clock := newTest(small(DurableRecord), disk)
	ctx := t.Context()
	note(r, 1)
	r.Reading(1, 2e6, nil, "unplugged", `no "device"`)
	r.Push(3e6, []Regions{{"text", 2e6, 5e9, 1, 2, []float32{0.1, -3e-9}}}, []Pushed{{"co2", 1, 1e6, 400.25}})
	r.Result(&result.Result{Seq: 7, Mono: 4e6, Label: "two", Labels: []string{"two"}, Probabilities: []float32{1}})
	clock.now.Store(5e6)
	require.NoError(t, r.Label(ctx, &Label{"kitchen", 1e6, 4e6, true, "cli"}))
	require.NoError(t, r.Label(ctx, &Label{Label: "hall", From: 3e6, Source: "api"}))
	require.NoError(t, r.Close(ctx))

	got := load(t, disk)
	require.Equal(t, testRun(), got.Run)
	require.Equal(t, clock.Wall(0), got.Start)
	last := len(got.Events) - 1
	require.Contains(t, string(got.Events[last].JSON), `"label":"two"`)
	got.Events[last].JSON = nil
	require.Equal(t, []Event{
		{Kind: ReadingEvent, At: 1e6, Samples: []encoder.Sample{{Channel: "lux", At: 1e6, Value: 1}}},
		{Kind: ReadingEvent, At: 2e6, Sensor: 1, Fault: "unplugged", Reason: `no "device"`},
		{Kind: PushEvent, At: 3e6, Regions: []Regions{{"text", 2e6, 5e9, 1, 2, []float32{0.1, -3e-9}}}, Pushed: []Pushed{{"co2", 1, 1e6, 400.25}}},
		{Kind: ResultEvent, At: 4e6, Seq: 7},
	}, got.Events)
	require.Equal(t, []string{"", "kitchen", "kitchen", "hall"},
		[]string{got.Truth(0), got.Truth(1e6), got.Truth(2e6), got.Truth(3e6)})
	for _, s := range sources(t, disk) {
		require.Contains(t, s.Name, labelSuffix)
		require.GreaterOrEqual(t, foreign(t, s), 7) // six and at least one of the clock
	}
}

func TestSegmentsRotateAndAllAreReadable(t *testing.T) {
	disk := newSimFS()
	r, _ := newTest(small(DurableRecord), disk)
	for n := range 300 {
		note(r, n+1)
		require.NoError(t, r.Flush(t.Context()))
	}
	require.NoError(t, r.Close(t.Context()))
	all := sources(t, disk)
	require.Greater(t, len(all), 3)
	total := 0
	for _, s := range all {
		total += foreign(t, s)
	}
	require.Equal(t, 301, total) // and the clock
	require.Equal(t, count(300), values(load(t, disk)))
	require.EqualValues(t, len(all), r.Stats().Segments)
}

// TestRow02To04PowerCut cuts the power at every change to the disk: with durable =
// "record" every acknowledged record is there after recovery, and every file opens
// elsewhere, as it does with "none". Now and then the power is cut again during the recovery.
func TestRow02To04PowerCut(t *testing.T) {
	const records = 150
	seeds := int64(6)
	if testing.Short() {
		seeds = 2
	}
	cuts, again := 0, 0
	for seed := range 2 * seeds {
		durable := DurableRecord
		if seed >= seeds { // then only the recovery must work
			durable = DurableNone
		}
		chance := rand.New(rand.NewSource(seed))
		wait := rand.New(rand.NewSource(-seed))
		disk := newSimFS()
		var at atomic.Pointer[Recorder]
		disk.before = func(op string) error {
			acked := 0
			if r := at.Load(); r != nil && durable == DurableRecord {
				acked = int(r.Committed())
			}
			cuts++
			after := disk.cut(chance)
			if chance.Intn(4) == 0 {
				var second *simFS
				stop := 1 + chance.Intn(8)
				after.before = func(string) error {
					if stop--; stop == 0 {
						second = after.cut(chance)
					}
					if stop <= 0 {
						return io.ErrUnexpectedEOF
					}
					return nil
				}
				_, _ = recoverDir(after, func(string, error) {})
				if again++; second != nil {
					after = second
				}
				after.before = nil
			}
			checkRecovery(t, after, acked, fmt.Sprintf("seed %d, cut %d at %s", seed, cuts, op))
			return nil
		}
		r, _ := newTest(small(durable), disk)
		at.Store(r)
		for n := range records {
			note(r, n+1)
			if wait.Intn(3) > 0 {
				require.NoError(t, r.Flush(t.Context()))
			}
			if n%40 == 20 {
				require.NoError(t, r.Label(t.Context(), &Label{Label: "x", From: 1}))
			}
		}
		require.NoError(t, r.Close(t.Context()))
	}
	t.Logf("%d power cuts, %d of them with another during the recovery", cuts, again)
	require.Greater(t, cuts, 170*int(seeds))
}

// checkRecovery recovers a disk and expects the first records on it.
func checkRecovery(t testing.TB, disk *simFS, acked int, what string) {
	t.Helper()
	_, err := recoverDir(disk, func(string, error) {})
	require.NoError(t, err, what)
	state := fmt.Sprint(disk.List())
	again, err := recoverDir(disk, func(string, error) {})
	require.NoError(t, err, what)
	require.Equal(t, Recovered{}, again, what)
	require.Equal(t, state, fmt.Sprint(disk.List()), what)
	seen := map[uint32]bool{}
	for _, s := range sources(t, disk) {
		foreign(t, s)
		_, err := scanSegment(s, s.Size, func(_ *scan, messages []byte) error {
			for at := 0; at < len(messages); {
				_, content, next, _ := splitRecord(messages, at)
				seen[order.Uint32(content[2:])] = true
				at = next
			}
			return nil
		})
		require.NoError(t, err, what)
	}
	for n := range acked {
		require.True(t, seen[uint32(n+1)], "%s: record %d of %d acknowledged ones is lost", what, n+1, acked)
	}
}

// TestRow05And06And10DiskFaults fails every operation of a run in turn, once and for good. The
// recorder never stops taking records; what it lost is counted, and when the disk
// works again everything that waited gets there.
func TestRow05And06And10DiskFaults(t *testing.T) {
	for _, fault := range []error{errors.New("no space left on device"), errors.New("input/output error"), errors.New("read-only file system"), errShort} {
		for _, forever := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/forever=%v", fault, forever), func(t *testing.T) {
				for at := 1; ; at++ {
					if !diskFault(t, fault, forever, at) {
						require.Greater(t, at, 20)
						t.Logf("%d operations failed", at-1)
						return
					}
				}
			})
		}
	}
}

var errShort = errors.New("short write")

// diskFault fails operation number at and says whether there was one.
func diskFault(t *testing.T, fault error, forever bool, at int) (happened bool) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSimFS()
		op, healthy := 0, false
		disk.before = func(name string) error {
			op++
			disk.short = false
			if healthy || op < at || op > at && !forever {
				return nil
			}
			happened = true
			if fault == errShort {
				disk.short = name == "write"
				return nil
			}
			return fault
		}
		r, _ := newTest(small(DurableRecord), disk)
		const records = 60
		for n := range records {
			note(r, n+1)
			if n%7 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		disk.mu.Lock()
		broken := happened && forever && fault != errShort
		disk.mu.Unlock()
		if broken {
			require.NotZero(t, r.Stats().Errors)
			require.Error(t, r.LastError())
			require.Error(t, r.Label(t.Context(), &Label{Label: "x"}))
		}
		disk.mu.Lock()
		healthy = true
		disk.mu.Unlock()
		time.Sleep(2 * maxPause)
		synctest.Wait()
		require.NoError(t, r.LastError())
		require.NoError(t, r.Close(t.Context()))
		require.Zero(t, r.Stats().Dropped)
		require.Equal(t, count(records), values(load(t, disk)))
		for _, s := range sources(t, disk) {
			foreign(t, s)
		}
	})
	return happened
}

// TestFullBuffer: what does not fit while the disk hangs is dropped and counted.
func TestFullBuffer(t *testing.T) {
	disk := newSimFS()
	disk.before = func(string) error { return errors.New("read-only file system") }
	r, _ := newTest(small(DurableRecord), disk)
	const records = 20000
	for n := range records {
		note(r, n+1)
	}
	s := r.Stats()
	require.InDelta(t, records, s.Records+s.Dropped, 1, "and perhaps one of the clock")
	require.Positive(t, s.Dropped)
	require.LessOrEqual(t, len(r.pending), maxPending)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	require.Error(t, r.Close(ctx))
}

func TestRow09QuotaKeepsLabelsLast(t *testing.T) {
	disk := newSimFS()
	for _, f := range []struct {
		name string
		size int
	}{{"a-0001.labels.mcap", 100}, {"a-0002.mcap", 100}, {"a-0003.mcap", 100}, {"a-0004.mcap.open", 100}, {"notes.txt", 1000}} {
		file, err := disk.Create(f.name)
		require.NoError(t, err)
		_, err = file.WriteAt(make([]byte, f.size), 0)
		require.NoError(t, err)
	}
	names := func() (all []string) {
		entries, err := disk.List()
		require.NoError(t, err)
		for _, e := range entries {
			all = append(all, e.Name)
		}
		return all
	}
	steps := []struct {
		q       quota
		removed int
		left    []string
	}{
		{quota{bytes: 500}, 0, []string{"a-0001.labels.mcap", "a-0002.mcap", "a-0003.mcap", "a-0004.mcap.open", "notes.txt"}},
		{quota{bytes: 400}, 1, []string{"a-0001.labels.mcap", "a-0003.mcap", "a-0004.mcap.open", "notes.txt"}},
		{quota{bytes: 300}, 1, []string{"a-0001.labels.mcap", "a-0004.mcap.open", "notes.txt"}},
		{quota{bytes: 100}, 1, []string{"a-0004.mcap.open", "notes.txt"}},
	}
	for _, s := range steps {
		removed, err := s.q.enforce(disk, 100, time.Time{})
		require.NoError(t, err)
		require.Equal(t, s.removed, removed)
		require.Equal(t, s.left, names())
	}
	_, err := disk.Create("a-0005.labels.mcap")
	require.NoError(t, err)
	old := quota{bytes: 1000, age: time.Hour}
	removed, err := old.enforce(disk, 0, time.Time{})
	require.NoError(t, err)
	require.Zero(t, removed, "the clock is not to be trusted")
	removed, err = old.enforce(disk, 0, time.Unix(3700, 0))
	require.NoError(t, err)
	require.Equal(t, 1, removed)
}

func TestUnreadableSegmentIsSetAside(t *testing.T) {
	disk := newSimFS()
	for name, text := range map[string]string{"r-0001.mcap.open": "not a recording", "r-0002.mcap.open": ""} {
		f, err := disk.Create(name)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte(text), 0)
		require.NoError(t, err)
	}
	r, _ := newTest(small(DurableRecord), disk)
	note(r, 1)
	require.NoError(t, r.Flush(t.Context()))
	require.NoError(t, r.Close(t.Context()))
	require.EqualValues(t, 1, r.Stats().Aside)
	require.Equal(t, []int{1}, values(load(t, disk)))
	entries, err := disk.List()
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(entries, func(e Entry) bool { return e.Name == "r-0001.mcap.open.bad" }))
	require.False(t, slices.ContainsFunc(entries, func(e Entry) bool { return e.Name == "r-0002.mcap.open" }))
}

// TestRow08FlippedBits: a damaged chunk costs its own records only.
func TestRow08FlippedBits(t *testing.T) {
	disk := newSimFS()
	c := small(DurableRecord)
	c.SegmentBytes = 1 << 20
	r, _ := newTest(c, disk)
	for n := range 20 {
		note(r, n+1)
		require.NoError(t, r.Flush(t.Context()))
	}
	require.NoError(t, r.Close(t.Context()))
	from := sources(t, disk)[0]
	data := make([]byte, from.Size)
	_, err := from.ReadAt(data, 0)
	require.NoError(t, err)
	first := bytes.Index(data, []byte(`"lux":1}`))
	last := bytes.Index(data, []byte(`"lux":20}`))
	step := 1
	if testing.Short() {
		step = 5
	}
	for at := first; at < last; at += step {
		flipped := slices.Clone(data)
		flipped[at] ^= 1 << (at % 8)
		got, err := Load([]Source{{"x", bytes.NewReader(flipped), int64(len(flipped)), false}})
		if err != nil { // a length was hit: no way past it
			require.ErrorIs(t, err, ErrUnreadable)
			continue
		}
		require.Subset(t, count(20), values(got))
	}
	at := bytes.Index(data, []byte(`"lux":7}`))
	data[at+6] ^= 1
	got, err := Load([]Source{{"x", bytes.NewReader(data), int64(len(data)), false}})
	require.NoError(t, err)
	require.Equal(t, slices.DeleteFunc(count(20), func(n int) bool { return n == 7 }), values(got))
	require.Equal(t, 1, got.Damaged)
}

func TestTriggerAndAPI(t *testing.T) {
	disk := newSimFS()
	c := small(DurableRecord)
	c.When, c.Hold = Trigger, encoder.Duration(10*time.Second)
	r, _ := newTest(c, disk)
	answer := func(at time.Duration, label string) {
		r.Result(&result.Result{Mono: at, Label: label, Modalities: []result.Modality{{Name: "light", Present: true}}})
	}
	answer(1e9, "empty")
	note(r, 2000)
	require.False(t, r.Active(3e9))
	answer(4e9, "full")
	require.True(t, r.Active(14e9))
	require.False(t, r.Active(15e9))
	note(r, 5000)
	r.Stop()
	note(r, 6000)
	r.Start()
	note(r, 20000)
	require.NoError(t, r.Close(t.Context()))
	require.Equal(t, []int{5000, 20000}, values(load(t, disk)))
}

// TestReloadGoesOn: a Recorder goes on with what people asked of the one before it.
func TestReloadGoesOn(t *testing.T) {
	for _, order := range []struct {
		name, when, then string
		give             func(*Recorder)
		active           bool
	}{
		{"none", API, API, func(*Recorder) {}, false},
		{"started", API, API, (*Recorder).Start, true},
		{"stopped", Always, Always, (*Recorder).Stop, false},
		{"stopped, and now configured", API, Always, (*Recorder).Stop, true},
	} {
		t.Run(order.name, func(t *testing.T) {
			disk := newSimFS()
			c := small(DurableRecord)
			c.When = order.when
			before, clock := newTest(c, disk)
			order.give(before)
			require.NoError(t, before.Label(t.Context(), &Label{Label: "full", Source: "test"}))
			run := testRun()
			run.Model = "another"
			c.When = order.then
			after := New(c, run, clock, disk, slog.New(slog.DiscardHandler), before)
			require.NoError(t, before.Close(t.Context()))
			require.Equal(t, order.active, after.Active(0))
			require.Equal(t, "full", after.Running(0))
			after.Start()
			note(after, 7)
			require.NoError(t, after.Flush(t.Context()))
			require.NoError(t, after.Close(t.Context()))
			all := sources(t, disk)
			got, err := Load(all[len(all)-1:])
			require.NoError(t, err)
			require.Equal(t, "full", got.Truth(7e6))
		})
	}
}

func TestNoAllocation(t *testing.T) {
	disk := newSimFS()
	disk.before = func(string) error { return errors.New("no disk") }
	c := small(DurableInterval)
	c.Interval = encoder.Duration(time.Hour)
	r, _ := newTest(c, disk)
	samples := []encoder.Sample{{Channel: "lux", Value: 165.25}}
	for n := range 400 {
		note(r, n)
	}
	require.Zero(t, testing.AllocsPerRun(20, func() { r.Reading(0, 1e9, samples, "", "") }))
	require.Error(t, r.Close(t.Context()))
}

func FuzzLoad(f *testing.F) {
	disk := newSimFS()
	r, _ := newTest(small(DurableRecord), disk)
	note(r, 1)
	r.Push(3e6, []Regions{{"text", 2e6, 5e9, 1, 1, []float32{0.5}}}, nil)
	require.NoError(f, r.Label(f.Context(), &Label{Label: "x"}))
	require.NoError(f, r.Close(f.Context()))
	from := sources(f, disk)[0]
	data := make([]byte, from.Size)
	_, err := from.ReadAt(data, 0)
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte(mcapMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Load([]Source{{"x", bytes.NewReader(data), int64(len(data)), false}})
		if err == nil {
			require.NotEmpty(t, got.Events)
		}
		disk := newSimFS()
		disk.names["x.mcap.open"] = &inode{data: data}
		_, err = recoverDir(disk, func(string, error) {})
		require.NoError(t, err)
		entries, err := disk.List()
		require.NoError(t, err)
		for _, e := range entries {
			_, open := IsOpen(e.Name)
			require.False(t, open)
		}
	})
}
