// Package sink holds one file per kind of output for Results, and the Queue that
// keeps a slow or broken output from holding up anything else.
package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

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
	// Type is the kind: "stdout", "file" or "mqtt".
	Type string `toml:"type"`
	// Path of the output, for type file. The file is created if it is missing,
	// and only ever appended to; rotate it by copying and truncating.
	Path string `toml:"path"`
	// Queue is how many Results may wait for this sink; the oldest is dropped
	// and counted when it is full. 0 means 64. Type mqtt thins out repeats
	// before it drops a change, and 0 means 512.
	Queue int `toml:"queue"`

	// URL of the broker, for type mqtt as all below: mqtt://HOST or, with TLS,
	// mqtts://HOST. The port is 1883 or 8883 where none is named.
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
}

// Kinds of sinks that this build has.
const (
	Stdout   = "stdout"
	File     = "file"
	KindMQTT = "mqtt"
)

// laterKinds are kinds of the product that this build does not have.
var laterKinds = []string{"influx", "prometheus"}

const (
	defaultQueue   = 64
	defaultBacklog = 512 // of type mqtt
	maxQueue       = 4096
)

// WithDefaults returns c with every key that was left out at its default.
func (c Config) WithDefaults() Config {
	if c.Queue == 0 {
		c.Queue = defaultQueue
		if c.Type == KindMQTT {
			c.Queue = defaultBacklog
		}
	}
	return c
}

// Check reports everything in c that is wrong without touching the file system.
// Each error names its key.
func (c Config) Check() error {
	var all []error
	add := func(key string, err error) { all = append(all, fmt.Errorf("%s: %w", key, err)) }
	const known = Stdout + ", " + File + ", " + KindMQTT
	switch c.Type {
	case Stdout:
	case File:
		if c.Path == "" {
			add("path", errors.New("required: the file to append to"))
		}
	case KindMQTT:
		all = append(all, c.checkMQTT()...)
	case "":
		return fmt.Errorf("type: required: one of %s", known)
	default:
		if slices.Contains(laterKinds, c.Type) {
			return fmt.Errorf("type: this build does not have %s yet; it has %s", c.Type, known)
		}
		return fmt.Errorf("type: %q is not one of: %s", c.Type, known)
	}
	for _, key := range c.foreignKeys() {
		add(key.name, fmt.Errorf("a key of type %s, which type %s does not have", key.kind, c.Type))
	}
	if c.Queue < 0 || c.Queue > maxQueue {
		add("queue", fmt.Errorf("%d is not in 1 to %d", c.Queue, maxQueue))
	}
	return errors.Join(all...)
}

// key is one that only one kind of sink has.
type key struct {
	name, kind string
	set        bool
}

// foreignKeys lists the keys of c that belong to another type.
func (c *Config) foreignKeys() []key {
	return slices.DeleteFunc([]key{
		{"path", File, c.Path != ""},
		{"url", KindMQTT, c.URL != ""},
		{"username", KindMQTT, c.Username != ""},
		{"password_file", KindMQTT, c.PasswordFile != ""},
		{"ca_file", KindMQTT, c.CAFile != ""},
		{"topic", KindMQTT, c.Topic != ""},
		{"homeassistant", KindMQTT, c.HomeAssistant},
	}, func(k key) bool { return !k.set || k.kind == c.Type })
}

// New makes the sink of c, which has passed Check and is not of type mqtt: see
// NewMQTT. It opens nothing yet: an output that is not there at the start may
// come later.
func New(c Config, stdout io.Writer, files FileSystem) Sink {
	if c.Type == File {
		return &file{files: files, path: c.Path}
	}
	return &lines{w: stdout}
}
