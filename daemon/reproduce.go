package daemon

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/ragedge/ragedge/daemon/record"
	"github.com/ragedge/ragedge/result"
)

// Replay plays recordings as FeatureTable does, at a speed as the key of that name
// has it, and hands every Result to env.OnResult. c or env names a model. It
// returns what the recordings lack of the runs that they are of; from those that
// lack something, other Results may come than the run had.
func Replay(ctx context.Context, c Config, env Environment, files []string, speed string) (lacks []string, err error) {
	empty, err := passes(ctx, c, env, files, speed, func(p *pass) error {
		if p.setup.mind == nil {
			return fmt.Errorf("%w: %w", ErrConfig, errNoModel)
		}
		lacks = append(lacks, p.lacks()...)
		return nil
	})
	return append(lacks, nothingIn(empty)...), err
}

// lacks says what the recording of a pass does not hold.
func (p *pass) lacks() []string {
	if tape := p.setup.replay.Tape(); tape != nil && tape.Lacks() != "" {
		return []string{p.name + ": " + tape.Lacks()}
	}
	return nil
}

// nothingIn says of files that they hold nothing to play.
func nothingIn(files []string) (lacks []string) {
	for _, file := range files {
		lacks = append(lacks, file+": "+record.ErrEmpty.Error())
	}
	return lacks
}

// Reproduce replays recordings as Replay does and compares the Results with those
// of from, JSON lines; when that is nil, with those that MCAP recordings hold
// themselves. tolerance takes the place of how closely numbers have to agree
// otherwise, 0 does not: see Comparison.
func Reproduce(ctx context.Context, c Config, env Environment, files []string, speed string, from io.Reader, tolerance float64) (*Comparison, error) {
	out := &Comparison{tolerance: tolerance}
	if from != nil {
		if err := out.read(from); err != nil {
			return nil, err
		}
	}
	before := env.OnResult
	env.OnResult = func(r *result.Result) {
		out.add(r)
		if before != nil {
			before(r)
		}
	}
	first := true
	empty, err := passes(ctx, c, env, files, speed, func(p *pass) error {
		if p.setup.mind == nil {
			return fmt.Errorf("%w: %w", ErrConfig, errNoModel)
		}
		out.Lacks = append(out.Lacks, p.lacks()...)
		if from != nil {
			if !first {
				return fmt.Errorf("%w: one file of Results is of one recording: name one", ErrConfig)
			}
			first = false
			return nil
		}
		out.finish()
		tape := p.setup.replay.Tape()
		if tape == nil || !tape.Decides() {
			return fmt.Errorf("%w: %s: it holds no Results: name a file of them", ErrData, p.name)
		}
		err := tape.Each(func(i int, e *record.Event) error {
			if i < tape.Before || e.Kind != record.ResultEvent {
				return nil
			}
			return out.expect(e.JSON)
		})
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrData, p.name, err)
		}
		return nil
	})
	out.Lacks = append(out.Lacks, nothingIn(empty)...)
	out.finish()
	return out, err
}

// maxLine bounds a Result in a file.
const maxLine = 1 << 20

// read expects the Results of JSON lines.
func (c *Comparison) read(from io.Reader) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := c.expect(bytes.Clone(lines.Bytes())); err != nil {
			return fmt.Errorf("%w: line %d of the expected Results: %w", ErrData, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	return nil
}
