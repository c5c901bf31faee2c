package sensor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
	}{{"time", c.Time != nil}, {"format", c.Format != ""}, {"label", c.Label != ""}, {"unplug", c.Unplug != nil},
		{"group", c.Group != ""}, {"split", c.Split != ""}, {"target", c.Target != ""}, {"where", c.Where != nil}} {
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
	files := &shelf{open: open}
	tape, err := loadTape(&c, files)
	if err = errors.Join(err, files.Close()); err != nil {
		return nil, fmt.Errorf("sensor %s: %w", c.Alias, err)
	}
	if len(tape.Sensors) == 0 {
		return configs, nil
	}
	var all []Config
	for _, s := range tape.Sensors {
		block := Config{Alias: s.Alias, Type: Recorded, File: c.File, files: c.files, Speed: c.Speed, Channels: map[string]string{}}
		for _, channel := range s.Channels {
			block.Channels[channel] = channel
		}
		all = append(all, block)
	}
	return all, nil
}

// Tape returns the block that plays MCAP recordings, the segments of one run.
func Tape(files ...string) Config {
	c := Config{Alias: "recording", Type: Recorded, File: files[0]}
	if len(files) > 1 {
		c.files = files
	}
	return c
}

// segments are the names of the files that c means, in the order of time.
func (c *Config) segments() ([]string, error) {
	if c.files != nil {
		return c.files, nil
	}
	if !strings.ContainsAny(filepath.Base(c.File), "*?[") {
		return []string{c.File}, nil
	}
	found, err := filepath.Glob(c.File)
	if err == nil && len(found) == 0 {
		err = os.ErrNotExist
	}
	if err != nil {
		return nil, &RecordingError{File: c.File, Err: err}
	}
	return found, nil // sorted, which is their order in time
}

// Run is the part of a segment's path that all segments of its run have in common,
// and the number of the segment; 0 when the name tells no number.
func Run(file string) (run string, number int) {
	dir, base := filepath.Split(file)
	base, _, _ = strings.Cut(base, ".")
	i := strings.LastIndexByte(base, '-')
	if i < 0 {
		return file, 0
	}
	n, err := strconv.Atoi(base[i+1:])
	if err != nil || n < 1 {
		return file, 0
	}
	return dir + base[:i], n
}

// around returns the segments of a run that come before one of them, the newest
// first, and those that come after it. Without the former a replay would begin
// with empty windows; the latter may know what time it was.
func around(segment string) (before, after []string) {
	run, number := Run(segment)
	found, _ := filepath.Glob(escape(run) + "-*" + tapeSuffix)
	slices.SortFunc(found, func(a, b string) int {
		_, i := Run(a)
		_, j := Run(b)
		return i - j
	})
	for _, name := range found {
		switch r, n := Run(name); {
		case r != run || number == 0:
		case n < number:
			before = append(before, name)
		case n > number:
			after = append(after, name)
		}
	}
	slices.Reverse(before)
	return before, after
}

// escape makes a name stand for itself in a pattern.
func escape(name string) string {
	return strings.NewReplacer("*", "\\*", "?", "\\?", "[", "\\[", "\\", "\\\\").Replace(name)
}

// loadTape reads the segments that c means, and as many of those before as fit. The
// events stay in the files.
func loadTape(c *Config, files *shelf) (*record.Recording, error) {
	names, err := c.segments()
	if err != nil {
		return nil, err
	}
	var segments []record.Source
	left := int64(maxBefore)
	before, _ := around(names[0])
	for _, name := range before {
		s, err := files.source(name, &left)
		if err != nil {
			break // too much, or gone meanwhile: it must do without
		}
		s.Before = true
		segments = append(segments, s)
	}
	slices.Reverse(segments)
	left = math.MaxInt64
	for _, name := range names {
		s, err := files.source(name, &left)
		if err != nil {
			return nil, err
		}
		segments = append(segments, s)
	}
	tape, err := record.Open(segments)
	if err != nil && segments[0].Before { // perhaps because of what nobody asked for
		tape, err = record.Open(slices.DeleteFunc(segments, func(s record.Source) bool { return s.Before }))
	}
	if err != nil {
		return nil, &RecordingError{File: c.File, Err: err}
	}
	left = maxBefore
	_, after := around(names[len(names)-1])
	for i := 0; i < len(after) && !tape.Dated(); i++ {
		s, err := files.source(after[i], &left)
		if err != nil {
			break
		}
		tape.DateBy(&s)
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
}{{"unplugged", ErrUnplugged}, {"non-finite", ErrNonFinite}, {"timeout", ErrTimeout}, {"left-out", ErrLeftOut}, {"frozen", ErrFrozen}, {"masked", ErrMasked}}

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
	// Begin is called once all is known that led up to what was asked for.
	Begin func()
	// Advance follows each of them, and stands between them at a set speed.
	Advance func(at time.Duration)
}

// RunTape plays an MCAP recording as Run does CSV files: everything in the order
// in which the pipeline saw it then.
func (r *Replay) RunTape(ctx context.Context, to Listener) error {
	defer r.due.Store(0)
	first := r.tape.First
	pace := pace{began: r.now(), speed: r.speed, timer: time.NewTimer(0)}
	defer pace.timer.Stop()
	return r.tape.Each(func(i int, e *record.Event) error {
		if i == r.tape.Before {
			pace.began = r.now()
			to.Begin()
		}
		advance := func(at time.Duration) { to.Advance(first + at) }
		if err := r.reach(ctx, &pace, e.At-first, advance); err != nil {
			return err
		}
		r.due.Store(int64(r.now()))
		switch e.Kind {
		case record.ReadingEvent:
			to.Deliver(Reading{
				Sensor: e.Sensor, At: e.At, Samples: e.Samples,
				Err: faultError(e.Fault, e.Reason),
			})
		case record.PushEvent:
			to.Push(e)
		case record.HangEvent:
			to.Hung(e)
			return nil // the decision has the same moment
		case record.ResultEvent:
			to.Decided(e)
		}
		to.Advance(e.At)
		return nil
	})
}
