// Package sink holds one file per kind of output for Results, and the Queue that
// keeps a slow or broken output from holding up anything else.
package sink

import (
	"errors"
	"fmt"
	"io"
	"slices"

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

// Config is one [[sink]] block.
type Config struct {
	// Type is the kind: "stdout" or "file".
	Type string `toml:"type"`
	// Path of the output, for type file. The file is created if it is missing,
	// and only ever appended to; rotate it by copying and truncating.
	Path string `toml:"path"`
	// Queue is how many Results may wait for this sink; the oldest is dropped
	// and counted when it is full. 0 means 64.
	Queue int `toml:"queue"`
}

// Kinds of sinks that this build has.
const (
	Stdout = "stdout"
	File   = "file"
)

// laterKinds are kinds of the product that this build does not have.
var laterKinds = []string{"mqtt", "influx", "prometheus"}

const (
	defaultQueue = 64
	maxQueue     = 4096
)

// WithDefaults returns c with every key that was left out at its default.
func (c Config) WithDefaults() Config {
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	return c
}

// Check reports everything in c that is wrong without touching the file system.
// Each error names its key.
func (c Config) Check() error {
	var all []error
	add := func(key string, err error) { all = append(all, fmt.Errorf("%s: %w", key, err)) }
	const known = Stdout + ", " + File
	switch {
	case c.Type == Stdout && c.Path != "":
		add("path", fmt.Errorf("a key of type %s, which type %s does not have", File, Stdout))
	case c.Type == File && c.Path == "":
		add("path", errors.New("required: the file to append to"))
	case c.Type == Stdout || c.Type == File:
	case c.Type == "":
		add("type", errors.New("required: one of "+known))
	case slices.Contains(laterKinds, c.Type):
		add("type", fmt.Errorf("this build does not have %s yet; it has %s", c.Type, known))
	default:
		add("type", fmt.Errorf("%q is not one of: %s", c.Type, known))
	}
	if c.Queue < 0 || c.Queue > maxQueue {
		add("queue", fmt.Errorf("%d is not in 1 to %d", c.Queue, maxQueue))
	}
	return errors.Join(all...)
}

// New makes the sink of c, which has passed Check. It opens nothing yet: an
// output that is not there at the start may come later.
func New(c Config, stdout io.Writer, files FileSystem) Sink {
	if c.Type == File {
		return &file{files: files, path: c.Path}
	}
	return &lines{w: stdout}
}
