package daemon

import (
	"cmp"
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
// is called before each pass. Files with nothing to play are passed over and returned,
// unless all are such.
func passes(ctx context.Context, c Config, env Environment, files []string, speed string, begin func(*pass) error) (empty []string, err error) {
	if err := closed(files); err != nil {
		return nil, err
	}
	c.Sinks, c.API.Listen, c.Record = nil, nil, record.Config{}
	if env.Model == nil && c.Agent.Model != "" {
		model, _, err := c.LoadModel()
		if err != nil {
			return nil, err
		}
		env.Model = model // once for all passes
	}
	var nothing error
	played := 0
	for i, r := range recordings(c.Sensors, files) {
		c.Sensors, err = r.blocks(speed)
		if err == nil {
			err = playStretches(ctx, c, env, i, begin)
		}
		switch {
		case errors.Is(err, record.ErrEmpty):
			empty, nothing = append(empty, r.files...), cmp.Or(nothing, err)
		case err != nil:
			return nil, err
		default:
			played++
		}
	}
	if played == 0 {
		return nil, nothing
	}
	return empty, nil
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

// closed refuses files that are not.
func closed(files []string) error {
	for _, file := range files {
		if _, open := record.IsOpen(file); open {
			return fmt.Errorf(`%w: %s is still being written: "ragedge record stop" closes it; or name the closed files alone, *.mcap`, ErrData, file)
		}
	}
	return nil
}

// named is one recording to play.
type named struct {
	files   []string // none when the blocks name them
	sensors []sensor.Config
}

// blocks returns the [[sensor]] blocks that play r, at a speed unless that is empty.
func (r *named) blocks(speed string) ([]sensor.Config, error) {
	what := "name a recording"
	if len(r.files) > 0 {
		what = r.files[0] + " is no MCAP recording, and only blocks of type replay say how other files are read"
	}
	if len(r.sensors) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrConfig, what)
	}
	blocks := slices.Clone(r.sensors)
	for i := range blocks {
		if blocks[i].Type != sensor.Recorded {
			return nil, fmt.Errorf("%w: sensor %s is live: %s", ErrConfig, blocks[i].Alias, what)
		}
		if speed != "" {
			blocks[i].Speed = speed
		}
	}
	return blocks, nil
}

// recordings returns every recording to play.
func recordings(blocks []sensor.Config, files []string) (all []named) {
	if len(files) == 0 {
		return []named{{sensors: blocks}}
	}
	for len(files) > 0 {
		n := sameRun(files)
		r := named{files: files[:n], sensors: []sensor.Config{sensor.Tape(files[:n]...)}}
		if !r.sensors[0].IsTape() {
			r.sensors = slices.Clone(blocks)
			for i := range r.sensors {
				r.sensors[i].File = files[0]
			}
		}
		all = append(all, r)
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
