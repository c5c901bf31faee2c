package record

import (
	"strings"
	"time"
)

// budget bounds what is written in a day, because memory cards wear out. It is the
// writer's, but for over, which everybody reads.
type budget struct {
	bytes int64         // 0: no bound
	begun time.Duration // of the day
	spent int64
}

// day is how long a budget is for. It counts from the start, on the monotonic
// clock, so that a clock that is set gives nothing away.
const day = 24 * time.Hour

// openBudget begins the first day: what is in the directory from the last 24 hours
// counts, so that a daemon that is started again and again keeps to the budget.
// That is known only when the clock is.
func (w *writer) openBudget() error {
	b := &w.budget
	if b.bytes = w.r.config.WriteBudgetBytes; b.bytes == 0 {
		return nil
	}
	now := w.r.clock.Now()
	b.begun, b.spent = now, 0
	if w.r.clock.Quality() != synced {
		return nil
	}
	entries, err := w.dir.List()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if age := w.r.clock.Wall(now).Sub(e.Mtime); age < day && strings.Contains(e.Name, closedSuffix) {
			w.spend(e.Size)
		}
	}
	return nil
}

// spend takes n bytes off the budget. When none is left, nothing but labels and
// flights is recorded until the day is over.
func (w *writer) spend(n int64) {
	b := &w.budget
	if b.bytes == 0 {
		return
	}
	now := w.r.clock.Now()
	if days := (now - b.begun) / day; days > 0 {
		b.begun += days * day
		b.spent = 0
	}
	b.spent += n
	until := b.begun + day
	if b.spent < b.bytes || w.r.over.Load() == int64(until) {
		return
	}
	w.r.over.Store(int64(until))
	w.r.split.Store(true)
	w.r.log.Warn("recording paused: the day's write_budget_bytes are used up", "bytes", b.spent, "for", (until - now).Round(time.Second))
}

// OverBudget says whether nothing is recorded at a moment because as much as is
// allowed was written in this day.
func (r *Recorder) OverBudget(at time.Duration) bool { return int64(at) < r.over.Load() }
