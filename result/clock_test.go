package result

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRedate(t *testing.T) {
	boot := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	early := func() Result {
		return Result{Time: time.Unix(100, 0), Quality: Unsynced, Mono: 100 * time.Second, Clock: &Clock{}}
	}
	r := early()
	r.Redate()
	require.Equal(t, time.Unix(100, 0), r.Time, "the clock is not set yet")
	require.Equal(t, Unsynced, r.Quality)

	r.Clock.Set(boot.Add(300 * time.Microsecond))
	r.Redate()
	require.True(t, boot.Add(100*time.Second).Equal(r.Time), "to the millisecond")
	require.Equal(t, Backfilled, r.Quality)

	r.Clock.Set(boot.Add(time.Hour))
	r.Redate()
	require.True(t, boot.Add(100*time.Second).Equal(r.Time), "once is enough")

	for _, quality := range []string{Synced, Recorded, ""} {
		r = early()
		r.Quality = quality
		r.Clock.Set(boot)
		r.Redate()
		require.Equal(t, time.Unix(100, 0), r.Time, quality)
		require.Equal(t, quality, r.Quality)
	}
	r = early()
	r.Clock = nil
	r.Redate()
	require.Equal(t, Unsynced, r.Quality)
}

// Whoever writes a Result may be the first to notice that the clock was set.
func TestRedateLooks(t *testing.T) {
	c := &Clock{}
	c.Look = func() { c.Set(time.Unix(1e9, 0)) }
	r := Result{Quality: Unsynced, Mono: time.Second, Clock: c}
	r.Redate()
	require.Equal(t, int64(1e9+1), r.Time.Unix())
}
