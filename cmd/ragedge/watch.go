package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	minWatch = 100 * time.Millisecond
	// changesKept is how many changes of the answer the view shows.
	changesKept = 3
)

// Escape codes of a terminal.
const (
	enterView = "\x1b[?1049h\x1b[?25l\x1b[?7l" // a screen of its own, without a cursor, cut at the edge
	leaveView = "\x1b[?7h\x1b[?25h\x1b[?1049l" // the screen as it was
	toLine    = "\x1b[%d;1H"
	clearLine = "\x1b[K"
	clearRest = "\x1b[J"
)

// watcher shows the status again and again. Results come by the stream as well, so
// that it misses no change of the answer between two looks and shows it at once.
type watcher struct {
	client   *apiClient
	out      io.Writer
	interval time.Duration
	asJSON   bool
	now      func() time.Time

	mu      sync.Mutex
	label   string
	changes []string      // of the answer, the newest last
	changed chan struct{} // there is one more

	answered time.Time // when the daemon last did
}

func newWatcher(client *apiClient, out io.Writer, interval time.Duration) *watcher {
	return &watcher{client: client, out: out, interval: interval, now: time.Now, changed: make(chan struct{}, 1)}
}

// run shows until ctx ends, and returns nil then: to stop watching is no failure.
func (w *watcher) run(ctx context.Context) error {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	ctx, cancel := context.WithCancel(ctx)
	var listening sync.WaitGroup
	listening.Go(func() { w.listen(ctx) })
	defer listening.Wait()
	defer cancel()
	draw := w.block
	if columns, _ := windowSize(w.out); columns > 0 && !w.asJSON {
		if _, err := io.WriteString(w.out, enterView); err != nil {
			return err
		}
		defer io.WriteString(w.out, leaveView)
		draw = w.screen
	}
	next := time.NewTicker(w.interval)
	defer next.Stop()
	for {
		r := w.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := draw(r); err != nil {
			return err
		}
	wait:
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-resized:
				if err := draw(r); err != nil {
					return err
				}
			case <-next.C:
				break wait
			case <-w.changed:
				time.Sleep(minWatch) // an answer that flickers is not worth more
				break wait
			}
		}
	}
}

// listen takes in Results as they come, and joins the stream again when it ends.
func (w *watcher) listen(ctx context.Context) {
	for ctx.Err() == nil {
		_ = w.client.stream(ctx, "/v1/stream", w.hear) // what is wrong, the next look says
		select {
		case <-ctx.Done():
		case <-time.After(w.interval):
		}
	}
}

func (w *watcher) hear(result []byte) {
	r := &condition{}
	r.take(result)
	if r.Result == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	label, sure := r.Result.text()
	if label == w.label || len(r.Result.Probabilities) == 0 {
		return // no other answer, or values and readings, which always change
	}
	w.label = label
	line := fmt.Sprintf("  %s  %s", r.Result.Time.Local().Format(time.TimeOnly), clean(label))
	if sure >= 0 {
		line += fmt.Sprintf("  %d%%", percent(sure))
	}
	w.changes = append(w.changes, line)
	w.changes = w.changes[max(0, len(w.changes)-changesKept):]
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// look asks how the daemon is.
func (w *watcher) look(ctx context.Context) *condition {
	r := ask(ctx, w.client)
	if r.silent == nil {
		w.answered = w.now()
		return r
	}
	r.Reason += "; asking again every " + w.interval.String()
	if !w.answered.IsZero() {
		r.Reason += fmt.Sprintf("; it last answered %s ago", span(w.now().Sub(w.answered).Seconds()))
	}
	return r
}

// text is the view of r at the present width.
func (w *watcher) text(r *condition) []string {
	p := newPanel(w.out)
	lines := p.lines(r)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.changes) > 0 {
		lines = append(lines, "", p.paint(dim, "CHANGES OF THE ANSWER"))
		for _, change := range w.changes {
			lines = append(lines, fit(change, p.width))
		}
	}
	return lines
}

// screen draws over what is there.
func (w *watcher) screen(r *condition) error {
	lines := w.text(r)
	_, rows := windowSize(w.out)
	if rows > 1 && len(lines) > rows {
		hidden := len(lines) - rows + 1
		lines = append(lines[:rows-1:rows-1], fmt.Sprintf("… %d more lines: make the window higher", hidden))
	}
	// Each line has its place: line breaks would scroll a window that has just
	// become lower. It is cleared first, as its end may be the window's.
	var b strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&b, toLine+clearLine+"%s", i+1, line)
	}
	if len(lines) < rows {
		fmt.Fprintf(&b, toLine+clearRest, len(lines)+1)
	}
	_, err := io.WriteString(w.out, b.String())
	return err
}

// block prints below what is there.
func (w *watcher) block(r *condition) error {
	if w.asJSON {
		return r.writeJSON(w.out)
	}
	return printLines(w.out, append(w.text(r), ""))
}
