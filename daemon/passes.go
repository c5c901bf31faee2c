package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/daemon/sensor"
	"github.com/ragedge/ragedge/daemon/spool"
)

// pass is one recording, or one group of one, that is played from end to end by a
// daemon of its own: nothing is carried over from one to the next.
type pass struct {
	*Daemon
	file  int    // which of the files it is of, from 0
	name  string // of the file
	group string // "" in a file without groups
	setup *setup
}

// passes plays recordings one after the other. A file that ends in .mcap, or such
// a pattern, takes the place of the [[sensor]] blocks, and files that follow each
// other in one run are played as one; any other file takes the place of the file
// in the blocks of type replay. Without files these are played as they are. begin
// is called before each pass.
func passes(ctx context.Context, c Config, env Environment, files []string, speed string, begin func(*pass) error) error {
	c.Sinks, c.API.Listen, c.Record = nil, nil, record.Config{}
	if env.Model == nil && c.Agent.Model != "" {
		model, _, err := c.LoadModel()
		if err != nil {
			return err
		}
		env.Model = model // once for all passes
	}
	for i, sensors := range recordings(c.Sensors, files) {
		c.Sensors = slices.Clone(sensors)
		for i := range c.Sensors {
			if c.Sensors[i].Type != sensor.Recorded {
				return fmt.Errorf("%w: sensor %s is live: name a recording", ErrConfig, c.Sensors[i].Alias)
			}
			if speed != "" {
				c.Sensors[i].Speed = speed
			}
		}
		if len(c.Sensors) == 0 {
			return fmt.Errorf("%w: name a recording", ErrConfig)
		}
		if err := playStretches(ctx, c, env, i, begin); err != nil {
			return err
		}
	}
	return nil
}

// playStretches plays one recording, the groups of it one after the other.
func playStretches(ctx context.Context, c Config, env Environment, file int, begin func(*pass) error) error {
	whole, stretches, err := stretches(c, env)
	if err != nil {
		return err
	}
	for _, s := range stretches {
		if err = playOne(ctx, c, env, file, s, begin); err != nil {
			break
		}
	}
	if whole != nil {
		err = errors.Join(err, whole.Close())
	}
	return err
}

func playOne(ctx context.Context, c Config, env Environment, file int, s sensor.Stretch, begin func(*pass) error) error {
	env.replay = s.Replay
	d, err := New(c, env)
	if err != nil {
		return err
	}
	p := &pass{Daemon: d, file: file, name: c.Sensors[0].File, group: s.Group, setup: d.current.Load()}
	if err = begin(p); err == nil {
		err = d.Run(ctx)
	}
	if s.Replay == nil { // New opened it
		err = errors.Join(err, p.setup.replay.Close())
	}
	if err != nil {
		return err
	}
	return ctx.Err()
}

// stretches opens the recordings of c, and takes them apart; it leaves to New those
// that have no groups. Close the whole.
func stretches(c Config, env Environment) (whole *sensor.Replay, all []sensor.Stretch, err error) {
	if !slices.ContainsFunc(c.Sensors, func(s sensor.Config) bool { return s.Group != "" }) {
		return nil, []sensor.Stretch{{}}, nil
	}
	if err := c.Check(); err != nil {
		return nil, nil, err
	}
	if whole, err = openReplay(c, newSystemClock().Now, env); err != nil {
		return nil, nil, err
	}
	if all, err = whole.Stretches(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%w: %w", ErrData, err), whole.Close())
	}
	return whole, all, nil
}

// openReplay opens the recordings of c, which has passed Check.
func openReplay(c Config, now func() time.Duration, env Environment) (*sensor.Replay, error) {
	replay, err := sensor.OpenReplay(c.Sensors, now, env.open)
	switch {
	case err == nil || errors.Is(err, spool.ErrFile):
		return replay, err
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil, fmt.Errorf("%w: %w", ErrData, err)
}

// recordings returns the [[sensor]] blocks of every recording to play.
func recordings(blocks []sensor.Config, files []string) (all [][]sensor.Config) {
	if len(files) == 0 {
		return [][]sensor.Config{blocks}
	}
	for len(files) > 0 {
		n := sameRun(files)
		if tape := sensor.Tape(files[:n]...); tape.IsTape() {
			all = append(all, []sensor.Config{tape})
		} else {
			other := slices.Clone(blocks)
			for i := range other {
				other[i].File = files[0]
			}
			all = append(all, other)
		}
		files = files[n:]
	}
	return all
}

// sameRun says how many of the first files follow each other in one run. Only the
// daemon's own recordings do: numbers in the names of other files mean other things.
func sameRun(files []string) int {
	if first := sensor.Tape(files[0]); !first.IsTape() {
		return 1
	}
	run, number := sensor.Run(files[0])
	n := 1
	for ; n < len(files); n++ {
		r, next := sensor.Run(files[n])
		if number == 0 || r != run || next <= number {
			break
		}
		number = next
	}
	return n
}
