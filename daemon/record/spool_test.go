package record

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func newSpool(disk *simFS) *Spool {
	return NewSpool(SpoolConfig{Directory: "spill", MaxBytes: 1 << 20, DayBytes: 1 << 30}, "1.2.3", disk, slog.New(slog.DiscardHandler))
}

// spooled are Results whose JSON form is a number and some padding.
func spooled(from, to, padding int) (all []Spooled) {
	for n := from; n <= to; n++ {
		text := fmt.Sprintf(`{"seq":%d,"x":%q}`, n, strings.Repeat("x", padding))
		all = append(all, Spooled{JSON: []byte(text), Time: time.Unix(int64(n), 5)})
	}
	return all
}

// unspool takes everything out and returns the numbers.
func unspool(t testing.TB, s *Spool) (numbers []int) {
	t.Helper()
	for {
		results, err := s.Oldest()
		require.NoError(t, err)
		if len(results) == 0 {
			return numbers
		}
		for _, r := range results {
			var n int
			_, err := fmt.Sscanf(string(r.JSON), `{"seq":%d,`, &n)
			require.NoError(t, err)
			require.Equal(t, time.Unix(int64(n), 5), r.Time)
			numbers = append(numbers, n)
		}
		require.NoError(t, s.Remove())
	}
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}

func TestSpool(t *testing.T) {
	disk := newSimFS()
	s := newSpool(disk)
	require.Empty(t, unspool(t, s))
	require.NoError(t, s.Add(spooled(1, 3, 10)))
	require.NoError(t, s.Add(spooled(4, 4, 300<<10)), "another segment follows")
	require.NoError(t, s.Add(spooled(5, 6, 10)))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())

	s = newSpool(disk)
	require.NoError(t, s.Add(spooled(7, 7, 10)))
	require.Greater(t, s.Bytes(), int64(300<<10))
	require.Equal(t, upTo(7), unspool(t, s))
	require.Zero(t, s.Bytes())
	require.NoError(t, s.Add(spooled(8, 8, 10)))
	require.Equal(t, []int{8}, unspool(t, s))
	require.NoError(t, s.Close())
	entries, _ := disk.List()
	require.Empty(t, entries)
}

func TestSpoolBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSimFS()
		s := newSpool(disk)
		n := 0
		var err error
		for err == nil {
			n++
			err = s.Add(spooled(n, n, 50<<10))
		}
		require.ErrorIs(t, err, ErrSpoolFull)
		require.ErrorContains(t, err, "it may take 1048576 bytes")
		require.LessOrEqual(t, s.Bytes(), int64(1<<20))
		require.Equal(t, upTo(n-1), unspool(t, s), "what was taken stays")

		s = newSpool(disk)
		s.c.DayBytes = 100 << 10
		require.NoError(t, s.Add(spooled(1, 1, 50<<10)))
		require.ErrorContains(t, s.Add(spooled(2, 2, 50<<10)), "102400 bytes may be written in a day")
		require.NoError(t, s.Close())
		s = newSpool(disk)
		s.c.DayBytes = 100 << 10
		require.ErrorIs(t, s.Add(spooled(2, 2, 50<<10)), ErrSpoolFull, "a restart gives nothing away")
		time.Sleep(25 * time.Hour)
		require.NoError(t, s.Add(spooled(2, 2, 50<<10)))
		require.Equal(t, upTo(2), unspool(t, s))
	})
}

// Files that are no segments do not keep the others from being delivered.
func TestSpoolPutsAside(t *testing.T) {
	disk := newSimFS()
	for name, text := range map[string]string{"spill-00000001.mcap": "not one", "spill-00000002.mcap.open": "neither", "other": "x"} {
		f, err := disk.Create(name)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte(text), 0)
		require.NoError(t, err)
	}
	s := newSpool(disk)
	require.NoError(t, s.Add(spooled(1, 1, 10)))
	require.Equal(t, upTo(1), unspool(t, s))
	entries, _ := disk.List()
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	require.Equal(t, []string{"other", "spill-00000001.mcap.bad", "spill-00000002.mcap.open.bad"}, names)
}

// Whenever the power goes, what was taken in comes out again, in order: only what was
// removed may be missing.
func TestSpoolPowerCut(t *testing.T) {
	tries := 400
	if testing.Short() {
		tries = 25
	}
	for seed := range tries {
		r := rand.New(rand.NewSource(int64(seed)))
		disk := newSimFS()
		limit := r.Intn(60)
		disk.before = func(string) error {
			if limit--; limit < 0 {
				return errors.New("no power")
			}
			return nil
		}
		s := newSpool(disk)
		acknowledged, removed := 0, 0
		for n := 1; limit >= 0 && n < 1000; n++ {
			if err := s.Add(spooled(n, n, r.Intn(100<<10))); err != nil {
				break
			}
			acknowledged = n
			if r.Intn(4) == 0 {
				if results, err := s.Oldest(); err == nil {
					removed += len(results) // at least from the moment on at which it is tried
					if s.Remove() != nil {
						break
					}
				}
			}
		}
		after := disk.cut(r)
		got := unspool(t, newSpool(after))
		want := upTo(acknowledged)[removed:]
		if len(got) > len(want) && got[len(got)-1] == acknowledged+1 { // it was on disk all the same
			got = got[:len(got)-1]
		}
		require.GreaterOrEqual(t, len(got), len(want), "seed %d", seed)
		require.Equal(t, fmt.Sprint(want), fmt.Sprint(got[len(got)-len(want):]), "seed %d", seed)
	}
}

// A disk that fails now and then delays, and loses nothing that was taken in.
func TestSpoolFailingDisk(t *testing.T) {
	for every := 2; every < 12; every++ {
		disk := newSimFS()
		operations := 0
		disk.before = func(string) error {
			if operations++; operations%every == 0 {
				return errors.New("disk error")
			}
			return nil
		}
		s := newSpool(disk)
		var want []int
		for n := 1; n <= 20; n++ {
			if s.Add(spooled(n, n, 30<<10)) == nil {
				want = append(want, n)
			}
		}
		disk.before = nil
		require.Subset(t, unspool(t, s), want, "every %d", every)
	}
}
