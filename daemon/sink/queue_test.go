package sink

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/result"
)

// fakeSink takes what it is given, once it may.
type fakeSink struct {
	mu      sync.Mutex
	took    []uint64
	write   func(seq uint64) error
	atClose func() error
	closed  int
}

func (s *fakeSink) Write(r *result.Result) error {
	if s.write != nil {
		if err := s.write(r.Seq); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, r.Seq)
	return nil
}

func (s *fakeSink) Close() error {
	s.mu.Lock()
	s.closed++
	s.mu.Unlock()
	if s.atClose != nil {
		return s.atClose()
	}
	return nil
}

func (s *fakeSink) all() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]uint64(nil), s.took...)
}

// clock counts from one second before it was made.
func clock() func() time.Duration {
	origin := time.Now().Add(-time.Second)
	return func() time.Duration { return time.Since(origin) }
}

func offer(q *Queue, from, to uint64) {
	for seq := from; seq <= to; seq++ {
		q.Offer(answer(seq))
	}
}

func TestQueueDropsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		s := &fakeSink{write: func(uint64) error { <-gate; return nil }}
		q := NewQueue(s, 3, clock())
		offer(q, 1, 1)
		synctest.Wait() // 1 is being written
		offer(q, 2, 8)
		require.Equal(t, 3, q.Len())
		require.EqualValues(t, 4, q.Dropped())
		close(gate)
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, []uint64{1, 6, 7, 8}, s.all())
		require.EqualValues(t, 4, q.Written())
		require.Equal(t, 1, s.closed)

		offer(q, 9, 9)
		require.EqualValues(t, 5, q.Dropped(), "a closed queue counts what it is still offered")
		require.NoError(t, q.Close(t.Context()), "closing twice is harmless")
		require.Equal(t, 1, s.closed)
	})
}

func TestQueueHoldsCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		s := &fakeSink{}
		gate := make(chan struct{})
		q := NewQueue(sinkFunc(func(r *result.Result) error {
			<-gate
			got = append(got, string(r.AppendJSON(nil)))
			return s.Write(r)
		}), 8, clock())
		r := answer(1)
		want := string(r.AppendJSON(nil))
		q.Offer(r)
		r.Seq, r.Probabilities[0], r.Modalities[0].Reason = 99, 0.5, "changed"
		close(gate)
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, []string{want}, got)
	})
}

type sinkFunc func(*result.Result) error

func (f sinkFunc) Write(r *result.Result) error { return f(r) }
func (sinkFunc) Close() error                   { return nil }

func TestOfferWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeSink{write: func(uint64) error { time.Sleep(time.Second); return nil }}
		q := NewQueue(s, 2, clock())
		begun := time.Now()
		for seq := uint64(1); seq <= 10; seq++ {
			require.NoError(t, q.OfferWait(t.Context(), answer(seq)))
		}
		require.Equal(t, 7*time.Second, time.Since(begun), "one is being written and two wait")
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, s.all())
		require.Zero(t, q.Dropped())
		require.ErrorIs(t, q.OfferWait(t.Context(), answer(11)), errClosed)
		require.EqualValues(t, 1, q.Dropped())
	})
}

func TestOfferWaitGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		s := &fakeSink{write: func(uint64) error { <-gate; return nil }}
		q := NewQueue(s, 1, clock())
		offer(q, 1, 1)
		synctest.Wait()
		offer(q, 2, 2)
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		begun := time.Now()
		require.ErrorIs(t, q.OfferWait(ctx, answer(3)), context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(begun))
		require.EqualValues(t, 1, q.Dropped())

		// Closing wakes a waiting one too.
		waited := make(chan error)
		go func() { waited <- q.OfferWait(t.Context(), answer(4)) }()
		synctest.Wait()
		go func() { time.Sleep(time.Second); close(gate) }()
		require.NoError(t, q.Close(t.Context()))
		require.ErrorIs(t, <-waited, errClosed)
		require.Equal(t, []uint64{1, 2}, s.all())
		require.EqualValues(t, 2, q.Dropped())
	})
}

func TestRow60QueueOutlivesErrorsAndPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("no space left on device")
		s := &fakeSink{write: func(seq uint64) error {
			switch seq {
			case 2:
				return full
			case 4:
				panic("a bug")
			}
			return nil
		}}
		q := NewQueue(s, 8, clock())
		require.NoError(t, q.LastError())
		offer(q, 1, 2)
		synctest.Wait()
		require.ErrorIs(t, q.LastError(), full)
		offer(q, 3, 4)
		synctest.Wait()
		require.ErrorContains(t, q.LastError(), "the sink panicked: a bug")
		offer(q, 5, 5)
		synctest.Wait()
		require.NoError(t, q.LastError(), "it works again")
		_, late := overdue(q, time.Hour)
		require.False(t, late, "it is not under way any more")
		require.NoError(t, q.Close(t.Context()))
		require.Equal(t, []uint64{1, 3, 5}, s.all())
		require.EqualValues(t, 3, q.Written())
		require.EqualValues(t, 2, q.Errors())
		require.Zero(t, q.Dropped())
	})
}

func TestQueueReportsAFailedClose(t *testing.T) {
	for name, c := range map[string]struct {
		atClose func() error
		want    string
	}{
		"error": {func() error { return errors.New("lost at the end") }, "lost at the end"},
		"panic": {func() error { panic("a bug") }, "the sink panicked: a bug"},
	} {
		t.Run(name, func(t *testing.T) {
			q := NewQueue(&fakeSink{atClose: c.atClose}, 0, clock())
			require.ErrorContains(t, q.Close(t.Context()), c.want)
			require.EqualValues(t, 1, q.Errors())
		})
	}
}

// A sink that hangs is late after its timeout, never holds up Offer, and is left
// behind when the program ends.
func TestQueueOfAHangingSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		s := &fakeSink{write: func(uint64) error { <-gate; return nil }}
		now := clock()
		q := NewQueue(s, 4, now)
		_, late := overdue(q, now()+time.Hour)
		require.False(t, late, "an idle sink is not late")
		offer(q, 1, 1)
		synctest.Wait()
		time.Sleep(WriteTimeout)
		_, late = overdue(q, now())
		require.False(t, late)
		due := now()
		time.Sleep(time.Second)
		since, late := overdue(q, now())
		require.True(t, late)
		require.Equal(t, due, since)

		begun := time.Now()
		offer(q, 2, 1000)
		require.Zero(t, time.Since(begun))
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		require.EqualError(t, q.Close(ctx), "4 waiting Results were dropped: context deadline exceeded")
		require.Equal(t, 3*time.Second, time.Since(begun))
		require.EqualValues(t, 999, q.Dropped())
		require.Zero(t, s.closed)

		close(gate) // it comes back after all
		synctest.Wait()
		require.Equal(t, []uint64{1}, s.all())
		require.Equal(t, 1, s.closed)
	})
}

func TestQueueCountsEveryResult(t *testing.T) {
	var n atomic.Int64
	q := NewQueue(sinkFunc(func(*result.Result) error {
		if n.Add(1)%5 == 0 {
			return errors.New("now and then")
		}
		return nil
	}), 4, clock())
	var all sync.WaitGroup
	const offered = 4 * 500
	for i := range 4 {
		all.Go(func() {
			r := answer(uint64(i))
			for range 500 {
				if i == 0 {
					q.OfferWait(t.Context(), r)
				} else {
					q.Offer(r)
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, q.Close(t.Context()))
	require.EqualValues(t, offered, q.Written()+q.Errors()+q.Dropped())
}

func TestQueueAllocatesNothing(t *testing.T) {
	wrote := make(chan struct{})
	q := NewQueue(sinkFunc(func(*result.Result) error { wrote <- struct{}{}; return nil }), 4, clock())
	r := answer(1)
	once := func() {
		q.Offer(r)
		<-wrote
	}
	for range 8 { // every buffer has been used
		once()
	}
	require.Zero(t, testing.AllocsPerRun(100, once))
	require.NoError(t, q.Close(t.Context()))
}

// overdue says whether the sink of q has let its time pass at now.
func overdue(q *Queue, now time.Duration) (since time.Duration, late bool) {
	since = q.Due()
	return since, since != 0 && now > since
}
