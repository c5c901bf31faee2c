package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/daemon/record"
)

// maxListed bounds a list of recordings: the newest are in it.
const maxListed = 1000

// recordings is where the recordings are, "" when there are none.
func (s *setup) recordings() string {
	if c := s.config.Record; c.On() {
		return c.WithDefaults().Directory
	}
	return ""
}

// Recordings lists the files: see api.Daemon.
func (d *Daemon) Recordings() ([]api.Recording, error) {
	all := []api.Recording{}
	dir := d.current.Load().recordings()
	if dir == "" {
		return all, nil
	}
	found, err := record.List(dir, maxListed)
	for _, s := range found {
		all = append(all, api.Recording{
			File: s.Name, Open: s.Open, Begin: s.Begin, End: s.End, Bytes: s.Bytes, Messages: s.Messages, Labels: s.Labels,
		})
	}
	return all, err
}

// OpenRecording opens a file: see api.Daemon.
func (d *Daemon) OpenRecording(name string) (*os.File, error) {
	if strings.HasSuffix(name, ".open") {
		return nil, fmt.Errorf("%w: recording %.100q is still written to: stop the recording first", api.ErrRequest, name)
	}
	return d.openSegment(name)
}

func (d *Daemon) openSegment(name string) (*os.File, error) {
	dir := d.current.Load().recordings()
	if dir == "" {
		return nil, fmt.Errorf("%w: %w", api.ErrUnknown, errNoRecording)
	}
	f, err := record.OpenSegment(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noSuchRecording(name)
	}
	return f, err
}

func noSuchRecording(name string) error {
	return fmt.Errorf("%w: no recording %.100q: GET /v1/recordings lists those there are", api.ErrUnknown, name)
}

// ViewRecording reads a file: see api.Daemon.
func (d *Daemon) ViewRecording(ctx context.Context, name string, v *api.RecordingView, emit func([]byte) error) error {
	f, err := d.openSegment(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	err = record.Thin(ctx, f, info.Size(), record.View{From: v.From, To: v.To, Every: v.Every, Lines: v.Lines}, emit)
	if errors.Is(err, record.ErrTooMuch) || errors.Is(err, record.ErrUnreadable) {
		return fmt.Errorf("%w: %w", api.ErrRequest, err)
	}
	return err
}
