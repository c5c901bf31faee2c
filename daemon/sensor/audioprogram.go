package sensor

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// sound reads the frames of a microphone to their end.
func (p *Program) sound(ctx context.Context, from io.Reader, silent *time.Timer, deliver func(Reading)) (good bool, err error) {
	ear, err := newHearing(&p.config)
	if err != nil {
		return false, err
	}
	second, count := time.Now(), 0
	for {
		if _, err := io.ReadFull(from, ear.bytes); err != nil {
			return good, nil // what is left of a frame counts for nothing
		}
		silent.Reset(p.config.Timeout.Std())
		ear.measure(p.values)
		p.deliverValues(deliver)
		good = true
		if count++; count < maxLines {
			continue
		}
		// A file comes faster than life; its reader is slowed down like any program.
		if rest := time.Second - time.Since(second); rest > 0 {
			silent.Reset(p.config.Timeout.Std() + rest)
			select {
			case <-ctx.Done():
			case <-time.After(rest):
			}
		}
		second, count = time.Now(), 0
	}
}

// remedy says what to do about a command that cannot be started.
func (p *Program) remedy() string {
	if p.config.Type == Audio && len(p.config.Command) == 0 {
		return "install alsa-utils, or give a command that prints samples"
	}
	return "check the path and its permissions"
}

// userInfo is where a URL, of a camera on the network say, has its password.
var userInfo = regexp.MustCompile(`://[^/@\s]+@`)

// mediaFailure says what the last line of a program that records sound or pictures
// means.
func mediaFailure(kind, line string, err error) error {
	switch {
	case kind != Audio && kind != Camera:
	case strings.Contains(line, "Device or resource busy"):
		return fmt.Errorf("%w: another program has the device", err)
	case strings.HasSuffix(line, "No such device"), strings.HasSuffix(line, "No such file or directory"), strings.HasSuffix(line, "No such device or address"):
		return fmt.Errorf("%w: %w", ErrUnplugged, err)
	case strings.HasSuffix(line, "Permission denied"):
		return fmt.Errorf("%w: add this user to the device's group, audio or video", err)
	}
	return err
}
