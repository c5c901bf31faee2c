package sensor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ragedge/ragedge/daemon/record"
)

// tapeSuffix ends the name of a recording that the daemon made itself.
const tapeSuffix = ".mcap"

// IsTape says whether c plays a recording that the daemon made itself. Its file
// may be a pattern that matches the segments of one run.
func (c *Config) IsTape() bool {
	return c.Type == Recorded && strings.HasSuffix(c.File, tapeSuffix)
}

// checkTape refuses the keys of a CSV file that an MCAP file answers by itself.
func (c *Config) checkTape(add func(string, error)) {
	for _, k := range []struct {
		name string
		set  bool
	}{{"time", c.Time != nil}, {"format", c.Format != ""}, {"label", c.Label != ""}, {"unplug", c.Unplug != nil}} {
		if k.set {
			add(k.name, fmt.Errorf("a key of CSV files; %s says it itself", c.File))
		}
	}
	_, err := parseSpeed(c.Speed)
	add("speed", err)
}

// Expand puts in the place of a block that plays an MCAP recording one block for
// each sensor in it, under the name that the sensor had. Other blocks stay as they
// are. What is wrong with a file is a *RecordingError.
func Expand(configs []Config, open Opener) ([]Config, error) {
	i := slices.IndexFunc(configs, func(c Config) bool { return c.IsTape() })
	if i < 0 {
		return configs, nil
	}
	c := configs[i]
	if len(configs) > 1 {
		return nil, fmt.Errorf("sensor %s: an MCAP recording has all sensors in it: no other [[sensor]] may stand beside it", c.Alias)
	}
	tape, err := loadTape(c.File, open)
	if err != nil {
		return nil, fmt.Errorf("sensor %s: %w", c.Alias, err)
	}
	if len(tape.Sensors) == 0 {
		return configs, nil
	}
	var all []Config
	for _, s := range tape.Sensors {
		block := Config{Alias: s.Alias, Type: Recorded, File: c.File, Speed: c.Speed, Channels: map[string]string{}}
		for _, channel := range s.Channels {
			block.Channels[channel] = channel
		}
		all = append(all, block)
	}
	return all, nil
}

// maxTape bounds the bytes of a recording's segments, which are read as a whole.
const maxTape = 256 << 20

// loadTape reads the segments that a name or a pattern means.
func loadTape(pattern string, open Opener) (*record.Recording, error) {
	names := []string{pattern}
	if strings.ContainsAny(filepath.Base(pattern), "*?[") {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, &RecordingError{File: pattern, Err: err}
		}
		if len(found) == 0 {
			return nil, &RecordingError{File: pattern, Err: os.ErrNotExist}
		}
		names = found // sorted, which is their order in time
	}
	var segments []record.Source
	left := int64(maxTape)
	for _, name := range names {
		file, err := open(name)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(file, left+1))
		file.Close()
		if err != nil {
			return nil, &RecordingError{File: name, Err: err}
		}
		if left -= int64(len(text)); left < 0 {
			return nil, &RecordingError{File: name, Err: fmt.Errorf("more than %d bytes: name fewer segments", maxTape)}
		}
		segments = append(segments, record.Source{Name: name, ReaderAt: strings.NewReader(string(text)), Size: int64(len(text))})
	}
	tape, err := record.Load(segments)
	if err != nil {
		return nil, &RecordingError{File: pattern, Err: err}
	}
	return tape, nil
}

// Fault is a word for what an error of a Reading means, for recordings; "" for nil.
func Fault(err error) string {
	for _, f := range faults {
		if errors.Is(err, f.err) {
			return f.word
		}
	}
	if err != nil {
		return "failed"
	}
	return ""
}

var faults = []struct {
	word string
	err  error
}{{"unplugged", ErrUnplugged}, {"non-finite", ErrNonFinite}, {"timeout", ErrTimeout}, {"left-out", ErrLeftOut}}

// recordedError is a failure as a recording tells it.
type recordedError struct {
	text string
	is   error // may be nil
}

func (e *recordedError) Error() string { return e.text }

func (e *recordedError) Unwrap() error { return e.is }

func faultError(word, text string) error {
	if word == "" {
		return nil
	}
	e := &recordedError{text: text}
	for _, f := range faults {
		if f.word == word {
			e.is = f.err
		}
	}
	return e
}

// Tape is the MCAP recording that is played, nil for CSV files.
func (r *Replay) Tape() *record.Recording { return r.tape }

// Listener is told what happened in a recording, in its order. At is a moment of
// the recording's own timeline.
type Listener struct {
	Deliver func(Reading)
	Push    func(*record.Event)
	Decided func(*record.Event)
	Hung    func(*record.Event) // before the decision that it is about
	// Advance follows each of them, and stands between them at a set speed.
	Advance func(at time.Duration)
}

// RunTape plays an MCAP recording as Run does CSV files: everything in the order
// in which the pipeline saw it then.
func (r *Replay) RunTape(ctx context.Context, to Listener) error {
	defer r.due.Store(0)
	first := r.tape.Events[0].At
	pace := pace{began: r.now(), speed: r.speed, timer: time.NewTimer(0)}
	defer pace.timer.Stop()
	for i := range r.tape.Events {
		e := &r.tape.Events[i]
		advance := func(at time.Duration) { to.Advance(first + at) }
		if err := r.reach(ctx, &pace, e.At-first, advance); err != nil {
			return err
		}
		r.due.Store(int64(r.now()))
		switch e.Kind {
		case record.ReadingEvent:
			to.Deliver(Reading{
				Sensor: e.Sensor, At: e.At, Samples: e.Samples,
				Err: faultError(e.Fault, e.Reason), Label: r.tape.Truth(e.At), Labelled: true,
			})
		case record.PushEvent:
			to.Push(e)
		case record.HangEvent:
			to.Hung(e)
			continue // the decision has the same moment
		case record.ResultEvent:
			to.Decided(e)
		}
		to.Advance(e.At)
	}
	return nil
}
