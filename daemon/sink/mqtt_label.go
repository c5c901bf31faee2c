package sink

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Labeller writes what is true, from a moment on until the next, into the recording.
// An empty label says that nothing is said to be true any more. The error says why
// it did not get there.
type Labeller func(ctx context.Context, label string, from time.Time) error

// Topics of the select entity, after the base.
const (
	labelTopic  = "/label"     // what was chosen, retained
	chooseTopic = "/label/set" // where Home Assistant says what somebody chose
)

const (
	// maxChoices is how many choices may wait for the disk; another is refused.
	maxChoices = 8
	// labelWait is how long one may take to get there.
	labelWait = 10 * time.Second
)

// selects says whether somebody can choose what is true.
func (a *Announcement) selects() bool { return a.Labelled && len(a.Labels) > 0 }

// nothing is the choice that ends what was chosen before.
func (a *Announcement) nothing() string {
	if slices.Contains(a.Labels, "none") {
		return "(none)"
	}
	return "none"
}

// labels takes choices to the recording, one after the other.
type labels struct {
	write   Labeller
	about   *Announcement
	log     *slog.Logger
	choices chan choice
	changed chan struct{} // a token when current is to be published

	mu     sync.Mutex
	chosen string
}

type choice struct {
	label string
	at    time.Time
}

func newLabels(write Labeller, about *Announcement, log *slog.Logger) *labels {
	return &labels{
		write: write, about: about, log: log, chosen: about.nothing(),
		choices: make(chan choice, maxChoices), changed: make(chan struct{}, 1),
	}
}

// choose takes in what somebody chose at a moment.
func (l *labels) choose(label string, at time.Time) {
	if label != l.about.nothing() && !slices.Contains(l.about.Labels, label) {
		l.log.Warn("no label of the model", "label", label)
		signal(l.changed) // what was chosen before holds
		return
	}
	select {
	case l.choices <- choice{label, at}:
	default:
		l.log.Warn("label not recorded: too many wait for the disk", "label", label)
		signal(l.changed)
	}
}

// run writes choices until ctx ends or closing is closed.
func (l *labels) run(ctx context.Context, closing <-chan struct{}) {
	for {
		select {
		case c := <-l.choices:
			l.record(ctx, c)
			signal(l.changed)
		case <-closing:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (l *labels) record(ctx context.Context, c choice) {
	ctx, cancel := context.WithTimeout(ctx, labelWait)
	defer cancel()
	label := c.label
	if label == l.about.nothing() {
		label = ""
	}
	if err := l.write(ctx, label, c.at); err != nil {
		l.log.Warn("label not recorded", "label", c.label, "error", err)
		return
	}
	l.mu.Lock()
	l.chosen = c.label
	l.mu.Unlock()
}

// current is the newest choice that got into the recording.
func (l *labels) current() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chosen
}

// labelled holds a token when what was chosen is to be published.
func (m *MQTT) labelled() <-chan struct{} {
	if m.labels == nil {
		return nil
	}
	return m.labels.changed
}
