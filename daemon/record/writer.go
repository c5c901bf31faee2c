package record

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// writer is the goroutine of a Recorder and what only it touches.
type writer struct {
	r        *Recorder
	dir      Dir
	prologue *prologue
	id       string // of the run: when it began
	number   int    // of the newest segment
	segment  *segment
	batch    []byte // messages that are not on disk yet
	upTo     uint32 // the newest of them
	leftOver bool   // an open segment of before must be closed
	failing  bool
	wait     time.Duration
	// What the newest record of the clock said.
	offset  time.Duration
	quality string
	budget  budget
}

// Pauses between attempts.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

func (w *writer) loop(after *Recorder) {
	defer close(w.r.done)
	if after != nil {
		select {
		case <-after.done:
		case <-w.r.closing:
			return
		}
	}
	for closing := false; !closing; {
		for err := w.flush(false); err != nil && !closing; err = w.flush(false) {
			closing = w.pause()
		}
		if !closing {
			closing = w.await()
		}
	}
	_ = w.flush(true) // what came meanwhile, and the ending; the error is in LastError
	if w.dir != nil {
		w.dir.Close()
	}
}

// await waits until there is something to write now.
func (w *writer) await() (closing bool) {
	every := w.r.config.Interval.Std()
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-w.r.work:
	case <-timer.C:
	case <-w.r.closing:
		return true
	}
	return false
}

// pause waits before the next attempt.
func (w *writer) pause() (closing bool) {
	w.wait = min(maxPause, max(firstPause, 2*w.wait))
	timer := time.NewTimer(w.wait - rand.N(w.wait/4))
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-w.r.closing:
		return true
	}
}

// flush writes what waits and says what became of it.
func (w *writer) flush(closing bool) error {
	err := w.write()
	if err == nil {
		err = w.writeFlight()
	}
	if err == nil && (closing || w.r.split.Swap(false) || w.full()) {
		err = w.closeSegment()
	}
	w.note(err)
	return err
}

// note lets others see how an attempt ended.
func (w *writer) note(err error) {
	r := w.r
	if err != nil {
		r.counters.errors.Add(1)
		if w.segment != nil { // nothing is known about it any more
			w.segment.file.Close()
			w.segment, w.leftOver = nil, true
		}
		if errors.Is(err, fs.ErrNotExist) && w.dir != nil { // perhaps the directory itself is gone
			w.dir.Close()
			w.dir = nil
		}
	} else {
		w.wait = 0
	}
	r.mu.Lock()
	if r.last = err; err != nil {
		r.attempts++
	}
	close(r.changed)
	r.changed = make(chan struct{})
	r.mu.Unlock()
	switch failing := err != nil; {
	case failing && !w.failing:
		r.log.Warn("recording paused; trying again", "directory", r.config.Directory, "error", err)
	case !failing && w.failing:
		r.log.Info("recording goes on", "directory", r.config.Directory)
	}
	w.failing = err != nil
}

// write puts what waits into the segment, and makes it durable.
func (w *writer) write() error {
	w.take()
	if err := w.open(); err != nil {
		return err
	}
	if len(w.batch) == 0 {
		w.commit() // what came meanwhile was not for the disk
		return nil
	}
	if err := w.openSegment(); err != nil {
		return err
	}
	before := w.segment.size
	if err := w.segment.add(w.batch); err != nil {
		return err
	}
	w.spend(w.segment.size - before)
	if w.durable() {
		if err := w.segment.file.Sync(); err != nil {
			return err
		}
	}
	w.r.counters.bytes.Add(w.segment.size - before)
	w.batch = w.batch[:0]
	w.commit()
	return nil
}

func (w *writer) commit() {
	w.r.mu.Lock()
	w.r.committed = w.upTo
	w.r.mu.Unlock()
}

func (w *writer) durable() bool { return w.r.config.Durable != DurableNone }

// take gets the messages that wait, unless those of a failed attempt still do.
func (w *writer) take() {
	r := w.r
	if len(w.batch) > 0 {
		return
	}
	w.clockRecord()
	r.mu.Lock()
	defer r.mu.Unlock()
	w.batch, r.pending = r.pending, w.batch
	w.upTo = r.seq
	if cap(r.pending) > 2*fullChunk {
		r.pending = nil // a stall is over: give its memory back
	}
}

// clockRecord notes how far to trust the wall clock, whenever that changes or the
// clock was set: then what was recorded before can be dated again.
func (w *writer) clockRecord() {
	r := w.r
	r.mu.Lock()
	empty := len(r.pending) == 0
	r.mu.Unlock()
	if empty {
		return
	}
	now, quality := r.clock.Now(), r.clock.Quality()
	offset := time.Duration(r.clock.Wall(now).UnixNano()) - now
	if d := offset - w.offset; quality == w.quality && -time.Second < d && d < time.Second {
		return
	}
	w.offset, w.quality = offset, quality
	b := r.begin(clockChannel, now)
	r.end(b, appendClock(b, now, quality), always)
}

// open opens the directory and closes what a crash left open.
func (w *writer) open() error {
	r := w.r
	if w.dir == nil {
		dir, err := r.files.OpenDir(r.config.Directory)
		if err != nil {
			return err
		}
		w.dir, w.leftOver = dir, true
		if err := w.openBudget(); err != nil {
			return err
		}
	}
	if w.leftOver && w.segment == nil {
		done, err := recoverDir(w.dir, func(name string, err error) {
			r.log.Warn("recording left by a crash", "file", name, "error", err)
		})
		r.counters.aside.Add(int64(done.Aside))
		r.counters.damaged.Add(int64(done.Damaged))
		if done.Closed > 0 {
			r.log.Info("recordings left by a crash are closed now", "files", done.Closed, "damaged_chunks", done.Damaged)
		}
		if w.leftOver = err != nil; err != nil {
			r.log.Warn("a recording left by a crash cannot be closed yet", "error", err)
		}
	}
	return nil
}

// openSegment begins a segment if there is none.
func (w *writer) openSegment() error {
	if w.segment != nil {
		return nil
	}
	if err := w.trim(); err != nil {
		return err
	}
	now := w.r.clock.Now()
	if w.prologue == nil {
		id, err := w.freeID(now)
		if err != nil {
			return err
		}
		w.id = id
		w.prologue = newPrologue(&w.r.run, w.id, w.r.config.When)
	}
	if err := w.skipTaken(); err != nil {
		return err
	}
	s, err := createSegment(w.dir, fmt.Sprintf("%s-%04d", w.id, w.number), w.prologue, w.durable())
	if err != nil {
		w.leftOver = true
		return err
	}
	s.opened = now
	w.segment = s
	w.spend(s.size)
	w.r.counters.segments.Add(1)
	return nil
}

const idForm = "20060102T150405Z"

// freeID names a run after the second in which it begins, or the next that no
// other run has. While the clock cannot be trusted, which may be 1970 at every start of
// a board, no name goes before another: the quota takes the first for the oldest.
func (w *writer) freeID(now time.Duration) (id string, err error) {
	entries, err := w.dir.List()
	if err != nil {
		return "", err
	}
	at := w.r.clock.Wall(now).UTC()
	for _, e := range entries {
		begun, err := time.Parse(idForm, e.Name[:min(len(idForm), len(e.Name))])
		if err == nil && begun.After(at) && w.r.clock.Quality() != synced {
			at = begun
		}
	}
	for ; ; at = at.Add(time.Second) {
		id = at.Format(idForm)
		if !slices.ContainsFunc(entries, func(e Entry) bool { return strings.HasPrefix(e.Name, id+"-") }) {
			return id, nil
		}
	}
}

// skipTaken makes number the first that no segment of this run has.
func (w *writer) skipTaken() error {
	entries, err := w.dir.List()
	if err != nil {
		return err
	}
	w.number++
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name, w.id+"-")
		var n int
		if _, err := fmt.Sscanf(rest, "%d", &n); ours && err == nil && n >= w.number {
			w.number = n + 1
		}
	}
	return nil
}

// trim enforces the quota, with room for one more segment.
func (w *writer) trim() error {
	c, clock := &w.r.config, w.r.clock
	var now time.Time
	if clock.Quality() == synced {
		now = clock.Wall(clock.Now())
	}
	removed, err := quota{c.MaxBytes, c.MaxAge.Std()}.enforce(w.dir, c.SegmentBytes, now)
	w.r.counters.removed.Add(int64(removed))
	if removed > 0 {
		w.r.log.Info("old recordings removed", "files", removed)
	}
	return err
}

// full says whether the segment is large or old enough.
func (w *writer) full() bool {
	s, c := w.segment, &w.r.config
	return s != nil && (s.size+fullChunk > c.SegmentBytes || s.chunks >= maxChunks ||
		w.r.clock.Now()-s.opened >= c.SegmentAge.Std())
}

// closeSegment ends the segment, if there is one.
func (w *writer) closeSegment() error {
	s := w.segment
	if s == nil {
		return nil
	}
	w.segment = nil
	before := s.size
	err := s.close()
	w.spend(s.size - before)
	if err != nil {
		w.leftOver = true
	}
	return err
}
