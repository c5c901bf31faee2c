package sensor

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/encoder"
)

// Replay plays all recordings of a configuration as one bus: their rows in the
// order of time, at equal times in the order of the [[sensor]] blocks. Moment 0
// is the first row of all. The same recordings give the same readings in the
// same order at every speed.
type Replay struct {
	players []*player
	tape    *record.Recording // instead of players,
	files   *shelf            // that it is read from
	start   int64             // Unix time of moment 0 in nanoseconds
	end     time.Duration
	speed   float64 // 0: as fast as possible
	now     func() time.Duration
	due     atomic.Int64
}

// player is one sensor's part of a Replay.
type player struct {
	*recording
	part      stretch // that is played
	sensor    int
	unplugged []span
	samples   []encoder.Sample
	reader    rowReader
	row       row  // the next one,
	more      bool // if there is one
	mark      Mark // of the newest row that was delivered,
	shown     bool // if there is one
}

// span is a stretch of a recording, [from, to) in Unix nanoseconds.
type span struct{ from, to int64 }

// OpenReplay loads and checks the whole file of every replay sensor in configs,
// which have passed Check. What is wrong with a file is a *RecordingError. now is
// the machine's monotonic time, for Due. Close it.
func OpenReplay(configs []Config, now func() time.Duration, open Opener) (*Replay, error) {
	r := &Replay{now: now}
	if err := r.open(configs, open); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Replay) open(configs []Config, open Opener) error {
	speed := ""
	for i, c := range configs {
		if c.Type != Recorded {
			continue
		}
		c = c.WithDefaults()
		if c.IsTape() {
			return r.openTape(c, open)
		}
		if speed == "" {
			speed = c.Speed
		}
		if c.Speed != speed {
			return fmt.Errorf("sensor %s: speed: %q, but another recording has %q; they share one time", c.Alias, c.Speed, speed)
		}
		if err := r.load(i, c, open); err != nil {
			return fmt.Errorf("sensor %s: %w", c.Alias, err)
		}
	}
	if len(r.players) == 0 {
		return errors.New("no sensor of type replay")
	}
	var err error
	if r.speed, err = parseSpeed(speed); err != nil {
		return fmt.Errorf("speed: %w", err)
	}
	if r.Grouped() {
		return nil // its time begins anew in each: see Stretches
	}
	return r.span()
}

// openTape opens an MCAP recording, which has all sensors in it.
func (r *Replay) openTape(c Config, open Opener) (err error) {
	r.files = &shelf{open: open}
	if r.tape, err = loadTape(&c, r.files); err != nil {
		return fmt.Errorf("sensor %s: %w", c.Alias, err)
	}
	r.start, r.end = r.tape.Start.UnixNano(), r.tape.End
	if r.speed, err = parseSpeed(c.Speed); err != nil {
		return fmt.Errorf("speed: %w", err)
	}
	return nil
}

func (r *Replay) load(index int, c Config, open Opener) error {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	recording, err := loadRecording(c, zone, open)
	if err != nil {
		return err
	}
	unplugged, err := parseUnplug(c.Unplug, c.Format, zone)
	if err != nil {
		return fmt.Errorf("unplug: %w", err)
	}
	r.players = append(r.players, &player{
		recording: recording,
		sensor:    index,
		unplugged: unplugged,
		samples:   make([]encoder.Sample, 0, len(recording.channels)),
		part:      recording.parts[0],
	})
	return nil
}

// span finds the first and the last moment of all recordings.
func (r *Replay) span() error {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, p := range r.players {
		first = min(first, p.part.first)
		last = max(last, p.part.last)
	}
	r.start = first
	if r.end = time.Duration(last - first); r.end < 0 {
		return errors.New("the recordings lie more than 292 years apart")
	}
	return nil
}

// Close lets go of the files that recordings have open. Nothing can be played any
// more, not even by the Stretches.
func (r *Replay) Close() (err error) {
	if r.files != nil {
		err = r.files.Close()
	}
	for _, p := range r.players {
		err = errors.Join(err, p.rows.Close())
	}
	return err
}

// Start is the wall-clock time of moment 0, in UTC.
func (r *Replay) Start() time.Time { return time.Unix(0, r.start).UTC() }

// End is the moment of the last row.
func (r *Replay) End() time.Duration { return r.end }

// Channels returns the channels that a [[sensor]] block delivers, in the order of
// its file; nil if it is no recording.
func (r *Replay) Channels(sensor int) []string {
	for _, p := range r.players {
		if p.sensor == sensor {
			return p.channels
		}
	}
	return nil
}

// Due is the moment of the machine's time by which the replay must show progress
// again, for the watchdog; 0 when none is under way.
func (r *Replay) Due() time.Duration { return time.Duration(r.due.Load()) }

// parseSpeed reads a positive number, or "max" as 0.
func parseSpeed(speed string) (float64, error) {
	if speed == "max" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(speed, 64)
	if err != nil || !(v > 0) || math.IsInf(v, 0) {
		return 0, fmt.Errorf(`%q is neither "max" nor a number above 0`, speed)
	}
	return v, nil
}

func parseUnplug(stretches [][2]string, format string, zone *time.Location) ([]span, error) {
	var spans []span
	for _, s := range stretches {
		var ends [2]int64
		for i, text := range s {
			at, err := parseTime(text, format, zone)
			if err != nil {
				return nil, err
			}
			ends[i] = at
		}
		if ends[0] >= ends[1] {
			return nil, fmt.Errorf("%q is not before %q", s[0], s[1])
		}
		spans = append(spans, span{ends[0], ends[1]})
	}
	return spans, nil
}
