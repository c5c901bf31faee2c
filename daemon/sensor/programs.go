package sensor

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// startTime is how long a microphone or camera may take until it first delivers.
const startTime = 5 * time.Second

// prepare says how p comes to its readings. It is false for a sensor that does not
// deliver by itself.
func (p *Program) prepare() bool {
	c := &p.config
	switch {
	case c.Type == Exec:
		p.begin, p.read, p.command = p.execute, p.lines, c.Command
		p.missing, p.patience = "nothing that channels names", c.Timeout.Std()
		return true
	case c.Type == Audio:
		p.begin, p.read, p.command = p.execute, p.sound, c.audioCommand()
		p.missing, p.patience = "no sound", max(startTime, c.Timeout.Std())
	case c.Type == Camera && c.Device == "":
		p.begin, p.read, p.command = p.execute, p.pictures, c.Command
		p.missing, p.patience = "no picture", max(startTime, c.Timeout.Std())
	case c.Type == Camera:
		p.begin = p.watch
	case c.buffered():
		p.begin = p.scans
	default:
		return false
	}
	readings := c.readings()
	p.values = make([]float64, len(readings))
	for i, r := range readings {
		if channel := c.channel(r.name); channel != "" {
			p.channels = append(p.channels, channel)
			p.from = append(p.from, i)
		}
	}
	return true
}

// deliverValues delivers those of p.values that have a channel and are not NaN.
func (p *Program) deliverValues(deliver func(Reading)) {
	at := p.now()
	p.samples = p.samples[:0]
	for i, channel := range p.channels {
		if v := p.values[p.from[i]]; !math.IsNaN(v) {
			p.samples = append(p.samples, encoder.Sample{Channel: channel, At: at, Value: v})
		}
	}
	p.deliver(deliver, Reading{Samples: p.samples})
}

// outcome delivers the values, or err in their place. It returns an error when
// that ends the program: the first reading failed, and startup_error has something
// against that.
func (p *Program) outcome(good bool, err error, deliver func(Reading)) (bool, error) {
	switch {
	case err == nil:
		p.deliverValues(deliver)
		return true, nil
	case !p.proven && p.config.StartupError != StartupRetry:
		return good, err
	}
	p.deliver(deliver, Reading{Err: err})
	return good, nil
}

// lastLine keeps the last line that is written to it, up to logLength bytes.
type lastLine struct {
	mu         sync.Mutex
	line, next []byte
}

func (l *lastLine) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for part := range bytes.Lines(data) {
		l.next = append(l.next, part[:min(len(part), logLength-len(l.next))]...)
		if part[len(part)-1] == '\n' {
			if len(bytes.TrimSpace(l.next)) > 0 {
				l.line = append(l.line[:0], l.next...)
			}
			l.next = l.next[:0]
		}
	}
	return len(data), nil
}

func (l *lastLine) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.line
	if len(bytes.TrimSpace(l.next)) > 0 {
		line = l.next
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(line), "?"))
}
