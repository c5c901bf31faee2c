package record

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDecision: the Result of a time, and what led up to it, no further back than is
// asked for.
func TestDecision(t *testing.T) {
	for _, closed := range []bool{true, false} {
		dir, begin := tenMinutes(t, closed)
		all, err := List(dir, 10)
		require.NoError(t, err)
		name := all[0].Name
		d, err := FindDecision(t.Context(), dir, name, begin.Add(400*time.Second))
		require.NoError(t, err)
		require.Equal(t, uint64(41), d.Seq)
		require.Equal(t, 400*time.Second, d.At)
		require.True(t, d.Time.Equal(begin.Add(400*time.Second)))

		var readings []time.Duration
		results := 0
		require.NoError(t, d.LeadUp(t.Context(), 20*time.Second, func(e *Event) {
			if e.Kind == ResultEvent {
				results++
				return
			}
			require.Equal(t, e.At.Seconds(), e.Samples[0].Value)
			readings = append(readings, e.At)
		}))
		require.Len(t, readings, 22, "20 s, one for a clock that was slewed, and its own")
		require.True(t, slices.IsSorted(readings))
		require.Equal(t, 400*time.Second, readings[21], "the reading of its own moment came before it")
		require.Equal(t, 2, results, "of earlier decisions")

		for _, at := range []time.Duration{405 * time.Second, -time.Hour, time.Hour} {
			_, err = FindDecision(t.Context(), dir, name, begin.Add(at))
			require.ErrorIs(t, err, ErrNoResult, at)
		}
		_, err = FindDecision(t.Context(), dir, "none.mcap", begin)
		require.ErrorIs(t, err, fs.ErrNotExist)
		gone := *d
		gone.name = "none.mcap"
		require.ErrorIs(t, gone.LeadUp(t.Context(), time.Minute, func(*Event) {}), ErrNoResult)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, d.LeadUp(ended, time.Minute, func(*Event) {}), context.Canceled)
	}
}

// TestDecisionOfASecondSegment: what led up to it begins in those before, as far as
// they are there.
func TestDecisionOfASecondSegment(t *testing.T) {
	dir, begin := tenMinutes(t, true)
	whole, err := filepath.Glob(filepath.Join(dir, "*-0001*"))
	require.NoError(t, err)
	content, err := os.ReadFile(whole[0])
	require.NoError(t, err)
	for i, suffix := range []string{closedSuffix, labelSuffix, closedSuffix + ".open"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("20260101T000000Z-%04d%s", 7+i, suffix)), content, 0o600))
	}
	d, err := FindDecision(t.Context(), dir, "20260101T000000Z-0009.mcap.open", begin.Add(20*time.Second))
	require.NoError(t, err)
	require.Equal(t, []string{"20260101T000000Z-0006.labels.mcap", "20260101T000000Z-0007.mcap", "20260101T000000Z-0008.labels.mcap",
		"20260101T000000Z-0009.mcap.open"}, d.files(uint64(begin.UnixNano())))
	require.Equal(t, []string{d.name}, d.files(uint64(begin.UnixNano()+1)))
	n := 0
	require.NoError(t, d.LeadUp(t.Context(), time.Hour, func(e *Event) {
		if e.Kind == ReadingEvent {
			n++
		}
	}))
	require.Equal(t, 21, n)

	// The same messages again do not count.
	n = 0
	in := excerpt{to: math.MaxUint64, left: maxLead}
	for range 2 {
		require.NoError(t, in.read(t.Context(), dir, d.name, func(*Event, uint64) error { n++; return nil }))
		require.Equal(t, 600+60, n)
	}
}

// TestDecisionIsBounded: no more is read than a board can spare.
func TestDecisionIsBounded(t *testing.T) {
	in := excerpt{left: 10}
	require.ErrorIs(t, in.chunk(make([]byte, 11), nil), ErrTooLong)
}

// TestDecisionPassesDamageOver: as a replay does.
func TestDecisionPassesDamageOver(t *testing.T) {
	dir, begin := tenMinutes(t, true)
	names, err := filepath.Glob(filepath.Join(dir, "*.mcap"))
	require.NoError(t, err)
	content, err := os.ReadFile(names[0])
	require.NoError(t, err)
	size := len(content)
	for _, at := range []int{0, size / 5, size / 3} {
		broken := append([]byte{}, content...)
		for i := range 40 {
			broken[at+i] ^= 0x55
		}
		require.NoError(t, os.WriteFile(names[0], broken, 0o600))
		d, err := FindDecision(t.Context(), dir, filepath.Base(names[0]), begin.Add(590*time.Second))
		if at == 0 {
			require.ErrorIs(t, err, ErrUnreadable)
		} else if err == nil {
			require.NoError(t, d.LeadUp(t.Context(), time.Hour, func(*Event) {}))
		} else {
			require.ErrorIs(t, err, ErrNoResult)
		}
	}
}
