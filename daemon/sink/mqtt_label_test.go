package sink

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// book is a recording that keeps labels.
type book struct {
	mu   sync.Mutex
	all  []string
	at   []time.Time
	fail error
}

func (b *book) write(_ context.Context, label string, from time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.all, b.at = append(b.all, label), append(b.at, from)
	return nil
}

func (b *book) labels() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.all)
}

// What somebody chooses in Home Assistant gets into the recording, and the topic of
// the entity says what did.
func TestMQTTLabels(t *testing.T) {
	const state, command = "ragedge/1a2b3c4d/label", "ragedge/1a2b3c4d/label/set"
	b, recording := startBroker(t, nil, nil), &book{}
	about := thisTest
	about.Labelled = true
	c := Config{Type: KindMQTT, URL: "mqtt://" + b.address, HomeAssistant: true}.WithDefaults()
	log := &logText{}
	require.NoError(t, b.Publish(command, []byte("empty"), true, 1)) // from before: no choice
	m, err := newMQTT(c, about, recording.write, slog.New(slog.NewTextHandler(log, nil)), quick, nil)
	require.NoError(t, err)
	eventually(t, "nothing chosen", func() bool { return b.retained(state) == "none" && m.Connected() })
	eventually(t, "announced", func() bool { return b.retained(about.topic()) != "" })
	choose := func(label string) { require.NoError(t, b.Publish(command, []byte(label), false, 1)) }

	begun := time.Now()
	choose("2 people")
	eventually(t, "chosen", func() bool { return b.retained(state) == "2 people" })
	choose("none")
	eventually(t, "ended", func() bool { return b.retained(state) == "none" })
	require.Equal(t, []string{"2 people", ""}, recording.labels())
	require.WithinRange(t, recording.at[0], begun, recording.at[1])

	before := len(b.payloads(state))
	choose("a crowd")
	eventually(t, "put back", func() bool { return len(b.payloads(state)) == before+1 })
	recording.mu.Lock()
	recording.fail = errors.New("disk full")
	recording.mu.Unlock()
	choose("empty")
	eventually(t, "put back", func() bool { return len(b.payloads(state)) == before+2 })
	require.Equal(t, []string{"2 people", ""}, recording.labels())
	require.Equal(t, "none", b.retained(state))
	require.Contains(t, log.String(), "no label of the model")
	require.Contains(t, log.String(), "disk full")
	finish(t, m, b)
	noneLeft(t)
}

// Choices that wait for a disk that hangs are bounded, and a close does not wait for
// ever.
func TestMQTTLabelsOfAHangingDisk(t *testing.T) {
	b := startBroker(t, nil, nil)
	about := thisTest
	about.Labelled = true
	c := Config{Type: KindMQTT, URL: "mqtt://" + b.address, HomeAssistant: true}.WithDefaults()
	log := &logText{}
	hang := func(ctx context.Context, _ string, _ time.Time) error { <-ctx.Done(); return ctx.Err() }
	m, err := newMQTT(c, about, hang, slog.New(slog.NewTextHandler(log, nil)), quick, nil)
	require.NoError(t, err)
	for range 2 + maxChoices {
		m.labels.choose("empty", time.Now())
	}
	require.Contains(t, log.String(), "too many wait for the disk")
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	_ = m.Close(ctx)
	noneLeft(t)
}

func TestNothing(t *testing.T) {
	require.Equal(t, "none", (&Announcement{Labels: []string{"a"}}).nothing())
	require.Equal(t, "(none)", (&Announcement{Labels: []string{"none"}}).nothing())
}
