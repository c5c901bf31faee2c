package record

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEach: a recording whose events stay in the files has the same as one in memory, as
// often as they are asked for.
func TestEach(t *testing.T) {
	disk := newSimFS()
	c := small(Always)
	c.SegmentBytes = 1 << 10
	r, clock := newTest(c, disk)
	for n := range 50 {
		clock.now.Store(int64(n) * 1e6)
		note(r, n)
		require.NoError(t, r.Flush(t.Context()))
	}
	require.NoError(t, r.Close(t.Context()))
	all := sources(t, disk)
	require.Greater(t, len(all), 2)
	all[0].Before = true
	want, err := Load(all)
	require.NoError(t, err)
	require.NotZero(t, want.Before)
	got, err := Open(all)
	require.NoError(t, err)
	require.Nil(t, got.Events)
	require.Equal(t, want.Before, got.Before)
	require.Equal(t, want.Events[want.Before].At, got.First)
	require.Equal(t, want.Events[len(want.Events)-1].At, got.End)
	require.Equal(t, want.Start, got.Start)
	for range 2 {
		var events []Event
		require.NoError(t, got.Each(func(i int, e *Event) error {
			require.Equal(t, len(events), i)
			events = append(events, *e)
			return nil
		}))
		require.Equal(t, want.Events, events)
	}
	enough := errors.New("enough")
	n := 0
	require.ErrorIs(t, got.Each(func(int, *Event) error {
		n++
		return enough
	}), enough)
	require.Equal(t, 1, n)

	all[1].Size = 64 // cut while it is read
	require.ErrorIs(t, got.Each(func(int, *Event) error { return nil }), ErrUnreadable)
}
