package sensor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

const (
	// maxLine bounds a line of a program; a longer one is a failure and is skipped.
	maxLine = 64 << 10
	// maxLines is how many lines are read in a second. A program that prints more
	// is slowed down: nobody reads its pipe until the second is over.
	maxLines = 1000
	// grace is how long a program may take to end after SIGTERM.
	grace = 2 * time.Second
)

// Program is a sensor that delivers by itself: the command of an exec, audio or
// camera sensor, or the reading loop of a device with a buffer of its own. A command
// that ends, or that prints nothing it is asked for within the sensor's timeout, is
// killed with all it started and begun again after a jittered back-off; a device
// that fails is closed and opened again.
type Program struct {
	index    int
	config   Config
	hardware Hardware
	now      func() time.Duration
	log      func(line string)
	random   *rand.Rand
	samples  []encoder.Sample
	started  chan struct{}
	proven   bool
	starts   atomic.Int64
	skipped  atomic.Int64
	overruns atomic.Int64

	// begin runs it until it ends or has to be ended, and says why, and whether it
	// gave a reading.
	begin func(ctx context.Context, deliver func(Reading)) (good bool, err error)
	// For a command: its words, what reads its output to the end, what it did not
	// print when it is killed for that, and how long the first of that may take.
	command  []string
	read     func(ctx context.Context, from io.Reader, silent *time.Timer, deliver func(Reading)) (good bool, err error)
	missing  string
	patience time.Duration
	// The values of all readings, and the channels of values[from[i]].
	values   []float64
	channels []string
	from     []int
}

// NewPrograms returns one Program for each sensor of configs that delivers by
// itself. The configurations have passed Check; nothing of h is touched before Run.
// log takes what a program writes to stderr: its first lines every minute, and how
// many followed.
func NewPrograms(configs []Config, now func() time.Duration, h Hardware, log func(sensor int, line string)) []*Program {
	var all []*Program
	for i, c := range configs {
		p := &Program{
			index: i, config: c.WithDefaults(), now: now, hardware: h,
			log:     func(line string) { log(i, line) },
			random:  rand.New(rand.NewPCG(1, uint64(i))),
			started: make(chan struct{}),
		}
		if !p.prepare() {
			continue
		}
		if policy := p.config.StartupError; policy == StartupRetry || policy == StartupIgnore {
			close(p.started)
		}
		all = append(all, p)
	}
	return all
}

// Sensor is the index of the program's [[sensor]] block.
func (p *Program) Sensor() int { return p.index }

// Started is closed once the first reading has come or failed, at once if nothing
// waits for it.
func (p *Program) Started() <-chan struct{} { return p.started }

// Starts counts how often the command was begun.
func (p *Program) Starts() int64 { return p.starts.Load() }

// Skipped counts the pictures that were not looked at, since they came before the
// interval was over.
func (p *Program) Skipped() int64 { return p.skipped.Load() }

// Overruns counts how often a device's buffer was found full, so that values were
// lost.
func (p *Program) Overruns() int64 { return p.overruns.Load() }

// Run keeps the command running until ctx ends and hands every reading and every
// failure to deliver. It returns when the command has ended, an error when
// startup_error = "error" says that its first failure ends the run.
func (p *Program) Run(ctx context.Context, deliver func(Reading)) error {
	for failures := 0; ; failures++ {
		good, err := contained(func() (bool, error) { return p.begin(ctx, deliver) })
		if ctx.Err() != nil {
			return nil
		}
		if good {
			failures = 0
		}
		if policy := p.config.StartupError; !p.proven && policy != StartupRetry {
			if policy == StartupFail {
				return fmt.Errorf("sensor %s: %w", p.config.Alias, err)
			}
			p.deliver(deliver, Reading{Err: fmt.Errorf("%w by startup_error = %q: %w", ErrLeftOut, policy, err)})
			<-ctx.Done()
			return nil
		}
		p.deliver(deliver, Reading{Err: err})
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(p.backoff(failures)):
		}
	}
}

// contained makes a panic of f, which cannot cope with what a device or a program gave
// it, its error.
func contained(f func() (bool, error)) (good bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			good, err = false, fmt.Errorf("reading it panicked: %v", r)
		}
	}()
	return f()
}

// backoff is the wait before a command is begun again: a second after the first
// failure, twice that after each further one up to MaxBackoff, and up to a quarter
// less at random.
func (p *Program) backoff(failures int) time.Duration {
	wait := min(time.Second<<min(failures, 10), MaxBackoff)
	return wait - time.Duration(p.random.Int64N(int64(wait/4)+1))
}

func (p *Program) deliver(deliver func(Reading), r Reading) {
	r.Sensor, r.At = p.index, p.now()
	deliver(r)
	if !p.proven {
		p.proven = true
		if policy := p.config.StartupError; policy == StartupFail || policy == StartupProbe {
			close(p.started)
		}
	}
}

// execute is the begin of a command.
func (p *Program) execute(ctx context.Context, deliver func(Reading)) (good bool, err error) {
	c := exec.Command(p.command[0], p.command[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, writeOut, err := os.Pipe()
	if err != nil {
		return false, err
	}
	defer stdout.Close()
	stderr, writeErr, err := os.Pipe()
	if err != nil {
		writeOut.Close()
		return false, err
	}
	c.Stdout, c.Stderr = writeOut, writeErr
	if p.config.Type != Exec {
		c.Env = append(os.Environ(), "LC_ALL=C") // mediaFailure knows the words
	}
	p.starts.Add(1)
	err = c.Start()
	writeOut.Close()
	writeErr.Close()
	if err != nil {
		stderr.Close()
		return false, fmt.Errorf("%w: %s", err, p.remedy())
	}
	var logging sync.WaitGroup
	var last lastLine
	logging.Go(func() {
		copyLog(io.TeeReader(stderr, &last), p.log)
		stderr.Close()
	})
	group := -c.Process.Pid
	// silent kills a command that says nothing, stop ends one that nobody needs.
	var hung atomic.Bool
	silent := time.AfterFunc(p.patience, func() {
		hung.Store(true)
		syscall.Kill(group, syscall.SIGKILL)
	})
	defer silent.Stop()
	gone := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		syscall.Kill(group, syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(grace):
			syscall.Kill(group, syscall.SIGKILL)
		}
	})
	defer stop()
	var exit error
	go func() {
		exit = c.Wait()
		syscall.Kill(group, syscall.SIGKILL) // what it started,
		end := time.Now().Add(time.Second)   // and what left its group
		stdout.SetReadDeadline(end)          // may hold the pipes
		stderr.SetReadDeadline(end)
		close(gone)
	}()
	good, err = contained(func() (bool, error) { return p.read(ctx, stdout, silent, deliver) })
	if ctx.Err() == nil {
		syscall.Kill(group, syscall.SIGKILL) // it closed its output and lives on
	}
	<-gone
	logging.Wait()
	switch {
	case hung.Load():
		return good, fmt.Errorf("%w: %s in %v", ErrTimeout, p.missing, p.config.Timeout.Std())
	case err != nil:
		return good, err
	}
	return good, ended(p.config.Type, exit, last.String())
}

// lines reads the command's lines to their end. An error ends it early: the first
// line was bad, and startup_error has something against that.
func (p *Program) lines(ctx context.Context, from io.Reader, silent *time.Timer, deliver func(Reading)) (good bool, err error) {
	in := bufio.NewReaderSize(from, maxLine)
	parse := newLineParser(p.config.DataFormat)
	timeout := p.config.Timeout.Std()
	second, count, heard := time.Now(), 0, false
	for {
		line, err := in.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if err != nil {
			return good, nil // the rest of a line that was cut counts for nothing
		}
		if tooLong {
			err = fmt.Errorf("a line of more than %d bytes", maxLine)
		} else {
			err = p.line(parse, line)
		}
		switch {
		case err != nil && !p.proven && p.config.StartupError != StartupRetry:
			return good, err
		case err != nil:
			p.deliver(deliver, Reading{Err: err})
		case len(p.samples) > 0:
			p.deliver(deliver, Reading{Samples: p.samples})
			good, heard = true, true
			silent.Reset(timeout)
		}
		if count++; count < maxLines {
			continue
		}
		if rest := time.Second - time.Since(second); rest > 0 {
			if heard { // what follows waits for us, it is not silent
				silent.Reset(timeout + rest)
			}
			select {
			case <-ctx.Done():
			case <-time.After(rest):
			}
		}
		second, count, heard = time.Now(), 0, false
	}
}

// line makes samples of what channels names in a line; there may be nothing.
func (p *Program) line(parse lineParser, line []byte) error {
	p.samples = p.samples[:0]
	at := p.now()
	var wrong error
	err := parse(line, func(name string, v float64) {
		channel, wanted := p.config.Channels[name]
		if !wanted {
			return
		}
		if !isFinite(v) {
			wrong = fmt.Errorf("%s: %w: %v", name, ErrNonFinite, v)
		}
		p.samples = append(p.samples, encoder.Sample{Channel: channel, At: at, Value: v})
	})
	return errors.Join(wrong, err)
}

// ended says that a program did, how, and what the recorder of sound or pictures said
// last. What others say stays in the log: reasons go out with Results, and nobody
// knows what is in it.
func ended(kind string, exit error, line string) error {
	err := errors.New("the program ended")
	if exit != nil {
		err = fmt.Errorf("%w: %w", err, exit)
	}
	if line != "" && kind != Exec {
		err = fmt.Errorf("%w: it said: %s", err, userInfo.ReplaceAllString(line, "://***@"))
	}
	return mediaFailure(kind, line, err)
}
