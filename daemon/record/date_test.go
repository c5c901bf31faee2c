package record

import (
	"log/slog"
	"testing"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/stretchr/testify/require"
)

// setClock is one that is set after a while.
type setClock struct {
	testClock
	before, after time.Time // what the wall clock makes of moment 0
	at            time.Duration
	word          string // its quality once it is set
}

func (c *setClock) Wall(at time.Duration) time.Time {
	if c.Now() < c.at {
		return c.before.Add(at)
	}
	return c.after.Add(at)
}

func (c *setClock) Quality() string {
	if c.Now() < c.at {
		return "unsynced"
	}
	return c.word
}

// TestRecordsAreDatedAgain: a board without a battery for its clock begins to record
// in 1970 and learns the time after ten minutes, from the network or by hand.
func TestRecordsAreDatedAgain(t *testing.T) {
	right := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, word := range []string{synced, "unsynced"} {
		disk := newSimFS()
		clock := &setClock{before: time.Unix(0, 0).UTC(), after: right, at: 10 * time.Minute, word: word}
		r := New(small(DurableRecord), testRun(), clock, disk, slog.New(slog.DiscardHandler), nil)
		for n := range 20 {
			clock.now.Store(int64(n) * int64(time.Minute))
			note(r, n*60000)
			require.NoError(t, r.Flush(t.Context()))
		}
		require.NoError(t, r.Close(t.Context()))
		got := load(t, disk)
		require.Equal(t, right, got.Start, word)
		for _, e := range got.Events {
			require.Equal(t, right.Add(e.At), got.Wall(e.At), word)
		}
		require.Empty(t, got.Lacks())
	}
}

// TestLaterFileDates: the clock was set only after the file that is read.
func TestLaterFileDates(t *testing.T) {
	right := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	disk := newSimFS()
	clock := &setClock{before: time.Unix(0, 0).UTC(), after: right, at: 10 * time.Minute, word: synced}
	c := small(DurableRecord)
	c.SegmentAge = encoder.Duration(4 * time.Minute)
	r := New(c, testRun(), clock, disk, slog.New(slog.DiscardHandler), nil)
	for n := range 20 {
		clock.now.Store(int64(n) * int64(time.Minute))
		note(r, n*60000)
		require.NoError(t, r.Flush(t.Context()))
	}
	require.NoError(t, r.Close(t.Context()))
	all := sources(t, disk)
	require.Greater(t, len(all), 3)
	got, err := Load(all[:1])
	require.NoError(t, err)
	require.False(t, got.Dated())
	require.Equal(t, time.Unix(0, 0).UTC(), got.Start)
	got.DateBy(&all[1])
	require.False(t, got.Dated())
	for i := range all {
		got.DateBy(&all[i])
	}
	require.True(t, got.Dated())
	require.Equal(t, right, got.Start)
}

// TestNewerDatesCount: what was recorded after a step of a synced clock has the new time.
func TestNewerDatesCount(t *testing.T) {
	r := &Recording{Events: []Event{{At: 5}}, dates: []date{{0, 100, ""}, {3, 1000, synced}, {10, 2000, synced}, {20, 7, "unsynced"}}}
	r.settleDates()
	for at, want := range map[time.Duration]int64{0: 1000, 9: 1009, 10: 2010, 30: 2030} {
		require.Equal(t, want, r.Wall(at).UnixNano(), at)
	}
}

// TestNamesGrow: boards whose clock begins in 1970 do not all start equally fast. The
// files of a later start are the later ones, until the clock is right and says so.
func TestNamesGrow(t *testing.T) {
	disk := newSimFS()
	boots := []struct {
		wall time.Time
		word string
		want string
	}{
		{time.Unix(12, 0), "unsynced", "19700101T000012Z"},
		{time.Unix(10, 0), "unsynced", "19700101T000013Z"},
		{time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), synced, "20260501T120000Z"},
		{time.Unix(11, 0), "unsynced", "20260501T120001Z"},
		{time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC), synced, "20260401T120000Z"},
	}
	var want []string
	for _, b := range boots {
		r := New(small(DurableRecord), testRun(), &setClock{after: b.wall, word: b.word}, disk, slog.New(slog.DiscardHandler), nil)
		note(r, 1)
		require.NoError(t, r.Flush(t.Context()))
		require.NoError(t, r.Close(t.Context()))
		want = append(want, b.want+"-0001"+closedSuffix)
	}
	var got []string
	for _, s := range sources(t, disk) {
		got = append(got, s.Name)
	}
	require.ElementsMatch(t, want, got)
}
