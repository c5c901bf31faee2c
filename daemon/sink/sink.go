// Package sink holds one file per kind of output for Results, and the Queue that
// keeps a slow or broken output from holding up anything else.
package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/result"
)

// Sink writes Results somewhere. One goroutine calls it, never two at once.
type Sink interface {
	// Write delivers r, which it must not keep. After an error the Result is
	// lost and the next Write tries anew.
	Write(r *result.Result) error
	// Close flushes and releases what the sink holds.
	Close() error
}

// Output takes Results without ever holding up whoever offers them. Queue is the
// one in front of a Sink; MQTT keeps a backlog of its own.
type Output interface {
	// Offer takes a copy of r in and never waits.
	Offer(r *result.Result)
	// OfferWait takes a copy of r in and may wait for room, until ctx ends.
	OfferWait(ctx context.Context, r *result.Result) error
	// Close delivers what waits, as long as ctx lasts, and ends the Output.
	Close(ctx context.Context) error
	// Due is by when the call under way must be back, for the watchdog; 0 when
	// nothing can be late.
	Due() time.Duration
	// Len is how many Results wait.
	Len() int
	// Written counts the Results that were delivered, Dropped those that were
	// never tried, and Errors the attempts that failed.
	Written() int64
	Dropped() int64
	Errors() int64
	// LastError is what is wrong now, nil when nothing is.
	LastError() error
}

// Config is one [[sink]] block.
type Config struct {
	// Type is the kind: "stdout", "file", "mqtt", "influx" or "prometheus".
	Type string `toml:"type"`
	// Path of the output, for type file, which appends to it, and prometheus, which
	// replaces it. The file is created if it is missing.
	Path string `toml:"path"`
	// For type file: a file that has MaxBytes is renamed to Path.1, an earlier
	// Path.1 to Path.2 and so on, up to Keep old ones, 0 for 5. 0 bytes: it grows.
	MaxBytes int64 `toml:"max_bytes"`
	Keep     int   `toml:"keep"`
	// Interval, for type prometheus, is the least time between two writes.
	Interval encoder.Duration `toml:"interval"`
	// Queue is how many Results may wait for this sink; the oldest is dropped
	// and counted when it is full. 0 means 64. Type mqtt thins out repeats
	// before it drops a change, and 0 means 512.
	Queue int `toml:"queue"`
	// Publish says which Results the sink gets: All, or only those that Changed. In
	// between it then gets one at least every AtLeastEvery, 0 for 5 minutes.
	Publish      string           `toml:"publish"`
	AtLeastEvery encoder.Duration `toml:"at_least_every"`

	// URL of the broker, for type mqtt as all below: mqtt://HOST or, with TLS,
	// mqtts://HOST. The port is 1883 or 8883 where none is named. For type influx,
	// which has username, password_file and ca_file as well, where lines go: tcp://HOST:PORT,
	// udp://HOST:PORT, unix:///SOCKET, or an http:// or https:// address to post to.
	URL string `toml:"url"`
	// Username, and the file that holds nothing but its password. A file that
	// others than its owner and group can read is refused.
	Username     string `toml:"username"`
	PasswordFile string `toml:"password_file"`
	// CAFile holds the certificates (PEM) of who signed the broker's. Empty: those
	// that the system trusts.
	CAFile string `toml:"ca_file"`
	// Topic is what all topics begin with; empty: ragedge/ID, with the ID of the
	// board.
	Topic string `toml:"topic"`
	// HomeAssistant announces the board and its model to Home Assistant.
	HomeAssistant bool `toml:"homeassistant"`
	// Spill is a directory for Results that wait while the broker is away, and over a
	// restart; empty: they wait in memory only. They take at most SpillMaxBytes there,
	// 0 for 16 MiB, and at most SpillWriteBudgetBytes, 0 for 64 MiB, are written in a
	// day.
	Spill                 string `toml:"spill"`
	SpillMaxBytes         int64  `toml:"spill_max_bytes"`
	SpillWriteBudgetBytes int64  `toml:"spill_write_budget_bytes"`
}

// Kinds of sinks that this build has.
const (
	Stdout     = "stdout"
	File       = "file"
	KindMQTT   = "mqtt"
	Influx     = "influx"
	Prometheus = "prometheus"
)

// Words of publish.
const (
	All     = "all"
	Changed = "changed"
)

const (
	defaultQueue   = 64
	defaultBacklog = 512 // of type mqtt
	maxQueue       = 4096
	defaultKeep    = 5
	// defaultInterval is about what Prometheus looks at things.
	defaultInterval = encoder.Duration(15 * time.Second)
	// defaultSign is how often a sink gets a Result although nothing changed.
	defaultSign = encoder.Duration(5 * time.Minute)
)

// WithDefaults returns c with every key that was left out at its default.
func (c Config) WithDefaults() Config {
	if c.Queue == 0 {
		c.Queue = defaultQueue
		if c.Type == KindMQTT {
			c.Queue = defaultBacklog
		}
	}
	if c.Type == File && c.MaxBytes > 0 && c.Keep == 0 {
		c.Keep = defaultKeep
	}
	if c.Type == Prometheus && c.Interval == 0 {
		c.Interval = defaultInterval
	}
	if c.Spill != "" {
		c.SpillMaxBytes = cmp.Or(c.SpillMaxBytes, defaultSpill)
		c.SpillWriteBudgetBytes = cmp.Or(c.SpillWriteBudgetBytes, defaultSpillBudget)
	}
	if c.Publish == "" {
		c.Publish = All
	}
	if c.Publish == Changed && c.AtLeastEvery == 0 {
		c.AtLeastEvery = defaultSign
	}
	return c
}

// Check reports everything in c that is wrong without touching the file system.
// Each error names its key.
func (c Config) Check() error {
	var all []error
	add := func(key string, err error) { all = append(all, fmt.Errorf("%s: %w", key, err)) }
	const known = Stdout + ", " + File + ", " + KindMQTT + ", " + Influx + ", " + Prometheus
	switch c.Type {
	case Stdout:
	case File:
		c.checkFile(add)
	case KindMQTT:
		c.checkMQTT(add)
	case Influx:
		c.checkInflux(add)
	case Prometheus:
		c.checkPrometheus(add)
	case "":
		return fmt.Errorf("type: required: one of %s", known)
	default:
		return fmt.Errorf("type: %q is not one of: %s", c.Type, known)
	}
	for _, key := range c.foreignKeys() {
		add(key.name, fmt.Errorf("a key of type %s, which type %s does not have", strings.Join(key.kinds, ", "), c.Type))
	}
	if c.Queue < 0 || c.Queue > maxQueue {
		add("queue", fmt.Errorf("%d is not in 1 to %d", c.Queue, maxQueue))
	}
	if c.Publish != "" && c.Publish != All && c.Publish != Changed {
		add("publish", fmt.Errorf("%q is not one of: %s, %s", c.Publish, All, Changed))
	}
	switch {
	case c.AtLeastEvery < 0:
		add("at_least_every", errors.New("want a duration of more than 0"))
	case c.AtLeastEvery > 0 && c.Publish != Changed:
		add("at_least_every", fmt.Errorf("only with publish = %q: otherwise every Result is published", Changed))
	}
	return errors.Join(all...)
}

// key is one that not all kinds of sinks have.
type key struct {
	name  string
	set   bool
	kinds []string
}

// foreignKeys lists the keys of c that belong to another type.
func (c *Config) foreignKeys() []key {
	return slices.DeleteFunc([]key{
		{"path", c.Path != "", []string{File, Prometheus}},
		{"max_bytes", c.MaxBytes != 0, []string{File}},
		{"keep", c.Keep != 0, []string{File}},
		{"interval", c.Interval != 0, []string{Prometheus}},
		{"url", c.URL != "", []string{KindMQTT, Influx}},
		{"username", c.Username != "", []string{KindMQTT, Influx}},
		{"password_file", c.PasswordFile != "", []string{KindMQTT, Influx}},
		{"ca_file", c.CAFile != "", []string{KindMQTT, Influx}},
		{"topic", c.Topic != "", []string{KindMQTT}},
		{"homeassistant", c.HomeAssistant, []string{KindMQTT}},
		{"spill", c.Spill != "", []string{KindMQTT}},
		{"spill_max_bytes", c.SpillMaxBytes != 0, []string{KindMQTT}},
		{"spill_write_budget_bytes", c.SpillWriteBudgetBytes != 0, []string{KindMQTT}},
	}, func(k key) bool { return !k.set || slices.Contains(k.kinds, c.Type) })
}

// New makes the sink of c, which has its defaults, has passed Check and is not of
// type mqtt: see NewMQTT. It opens nothing yet: an output that is not there at the
// start may come later.
func New(c Config, board mqtt.Board, stdout io.Writer, files FileSystem) Sink {
	switch c.Type {
	case File:
		return &file{files: files, path: c.Path, max: c.MaxBytes, keep: c.Keep}
	case Influx:
		return newInflux(&c, board)
	case Prometheus:
		return &prometheus{files: files, path: c.Path, every: c.Interval.Std()}
	}
	return &lines{w: stdout}
}
