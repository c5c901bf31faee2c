package daemon

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ragedge/ragedge/daemon/sink"
	"github.com/ragedge/ragedge/result"
	"github.com/stretchr/testify/require"
)

// stuck is a writer, and an Environment.OnResult, that comes back when it is let go.
type stuck struct {
	at, hold chan struct{}
	once     sync.Once
}

func newStuck() *stuck { return &stuck{at: make(chan struct{}), hold: make(chan struct{})} }

func (s *stuck) wait() {
	s.once.Do(func() { close(s.at) })
	<-s.hold
}

func (s *stuck) Write(text []byte) (int, error) {
	s.wait()
	return len(text), nil
}

// pings says how often the service manager's watchdog was fed since the last call.
func (n *notes) pings() (fed int) {
	for _, state := range n.take() {
		fed += strings.Count(state, "WATCHDOG=1")
	}
	return fed
}

// TestRow59StuckStageStarvesTheWatchdog: the watchdog is fed by what the stages get
// done and by nothing else: a decision or an output that does not end stops it within
// half of WatchdogSec=, and it goes on when that one does.
func TestRow59StuckStageStarvesTheWatchdog(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "10000000")
	t.Setenv("WATCHDOG_PID", "")
	for _, c := range []struct {
		name, stage string
		stick       func(*live, *stuck)
	}{
		{"a decision does not end", "pipeline", func(l *live, s *stuck) { l.env.OnResult = func(*result.Result) { s.wait() } }},
		{"an output does not end", "sink stdout-1", func(l *live, s *stuck) {
			l.env.Stdout = s
			l.current.Load().config.Sinks = []sink.Config{{Type: sink.Stdout}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLiveWith(t, airSensor()) // no bus: it would wait for the pipeline's lock
				s := newStuck()
				c.stick(l, s)
				stop := run(t, l.Daemon)
				<-s.at
				time.Sleep(5*time.Second + time.Millisecond) // half of WatchdogSec=
				synctest.Wait()
				l.notes.take()
				time.Sleep(5 * time.Minute)
				require.Zero(t, l.notes.pings())
				require.ErrorContains(t, l.Live(), c.stage+" is ")
				close(s.hold)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				require.Positive(t, l.notes.pings(), "it is fed again")
				require.NoError(t, l.Live())
				require.NoError(t, stop())
			})
		})
	}
}

// TestRow59NoTickStarvesTheWatchdog: that nothing holds the pipeline up is not enough,
// somebody has to advance it.
func TestRow59NoTickStarvesTheWatchdog(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "10000000")
	t.Setenv("WATCHDOG_PID", "")
	synctest.Test(t, func(t *testing.T) {
		l := newLiveWith(t, airSensor())
		require.NoError(t, l.open(t.Context(), func(error) {}))
		p := l.pipeline
		p.begin()
		at, _ := p.nextTick()
		go l.watchdog.run(t.Context())
		time.Sleep(at - l.system.Now())
		synctest.Wait()
		require.Positive(t, l.notes.pings())
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		l.notes.take()
		time.Sleep(5 * time.Minute)
		require.Zero(t, l.notes.pings())
		p.Advance(l.system.Now())
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Positive(t, l.notes.pings())
	})
}

// TestRow59HeldLockStarvesTheWatchdog: a lock that is never given back does too, in
// real time, in which a pipeline has 5 s.
func TestRow59HeldLockStarvesTheWatchdog(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 7 s")
	}
	const period = 100 * time.Millisecond
	t.Setenv("WATCHDOG_USEC", "400000")
	t.Setenv("WATCHDOG_PID", "")
	told := &notes{}
	d, err := New(quiet(airSensor()), Environment{
		Model: tinyModel(t, strings.ReplaceAll(twoFeatures, `"10s"`, `"100ms"`)), Notify: told,
	})
	require.NoError(t, err)
	stop := run(t, d)
	fed := func() bool { return told.pings() > 0 }
	require.Eventually(t, fed, 30*time.Second, period)
	d.pipeline.mu.Lock()
	require.Eventually(t, func() bool { return d.Live() != nil }, 60*time.Second, period)
	time.Sleep(2 * period) // one that was under way
	told.take()
	require.Never(t, fed, time.Second, period)
	d.pipeline.mu.Unlock()
	require.Eventually(t, fed, 30*time.Second, period)
	require.NoError(t, stop())
}
