package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Decision is a Result in a segment, with the way to what led up to it.
type Decision struct {
	Event
	// Time is what its JSON form says, to the millisecond.
	Time time.Time

	dir, name string
	wall      uint64
	buf       []byte // for chunks
}

var (
	// ErrNoResult is a time of which a segment has no Result.
	ErrNoResult = errors.New("no Result of that time")
	// ErrTooLong is a Decision that more led up to than is read.
	ErrTooLong = errors.New("too much led up to it")

	errEnough = errors.New("enough is read")
)

const (
	// maxLead bounds the bytes of chunks that are read for what led up to a Decision,
	// and maxLeadFiles the segments before its own.
	maxLead      = 8 << 20
	maxLeadFiles = 64
	// slewed is how far apart the wall clock may say that two moments are, less what
	// they are, while nobody sets it. A message may also be dated a little later than
	// what it tells.
	slewed = uint64(time.Second)
)

// FindDecision returns the newest Result of a segment, which may still be open, among
// those whose JSON form has a time, to the millisecond. The error wraps fs.ErrNotExist
// when there is no such segment.
func FindDecision(ctx context.Context, dir, name string, at time.Time) (*Decision, error) {
	var found *Decision
	wall := uint64(max(0, at.UnixNano()))
	in := excerpt{from: wall - min(wall, slewed), to: wall + slewed, left: maxLead}
	err := in.read(ctx, dir, name, func(e *Event, wall uint64) error {
		var r struct{ Time time.Time }
		if e.Kind == ResultEvent && json.Unmarshal(e.JSON, &r) == nil && r.Time.UnixMilli() == at.UnixMilli() {
			found = &Decision{Event: *e, Time: r.Time, dir: dir, name: name, wall: wall}
		}
		return nil
	})
	if err == nil && found == nil {
		err = ErrNoResult
	}
	if err != nil {
		return nil, err
	}
	found.buf = in.buf
	return found, nil
}

// LeadUp calls each with what happened to the pipeline before d, in its order and from
// some time before it on. Memory is that of one chunk. Of what is not there any more,
// and of what comes before the clock was set, nothing is said.
func (d *Decision) LeadUp(ctx context.Context, before time.Duration, each func(*Event)) error {
	from := d.wall - min(d.wall, uint64(before)+slewed)
	in := excerpt{from: from, to: d.wall + slewed, left: maxLead, buf: d.buf}
	for _, name := range d.files(from) {
		err := in.read(ctx, d.dir, name, func(e *Event, _ uint64) error {
			if e.Kind == ResultEvent && e.Seq == d.Seq {
				return errEnough
			}
			each(e)
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return ErrNoResult // any more
}

// files are the segments of the run that have something since a wall time, up to that
// of d.
func (d *Decision) files(from uint64) []string {
	all := []string{d.name}
	base, _, _ := strings.Cut(d.name, ".")
	dash := strings.LastIndexByte(base, '-')
	number, err := strconv.Atoi(base[dash+1:])
	if err != nil || dash < 0 {
		return all // a flight
	}
	for len(all) <= maxLeadFiles {
		s, err := look(d.dir, all[0])
		if err != nil || !s.Begin.IsZero() && uint64(max(0, s.Begin.UnixNano())) < from {
			break
		}
		number--
		earlier := fmt.Sprintf("%s-%04d", base[:dash], number)
		if _, err := os.Lstat(filepath.Join(d.dir, earlier+closedSuffix)); err == nil {
			earlier += closedSuffix
		} else {
			earlier += labelSuffix // or there is none, which look says
		}
		all = append([]string{earlier}, all...)
	}
	return all
}

// excerpt reads what segments have between two wall times.
type excerpt struct {
	from, to uint64
	left     int // bytes
	buf      []byte
	events   Recording
}

// read calls each with what a segment has of them and when that was, on the wall. It
// reads only the chunks that have any; damaged ones are passed over.
func (x *excerpt) read(ctx context.Context, dir, name string, each func(e *Event, wall uint64) error) error {
	f, err := OpenSegment(dir, name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if ok, err := startsRight(f, info.Size()); err != nil || !ok {
		return errors.Join(ErrUnreadable, err)
	}
	s := scan{topics: map[uint16]string{}}
	in := scanner{r: f, size: info.Size(), at: int64(len(mcapMagic)), buf: x.buf}
	defer func() { x.buf = in.buf }()
	return s.between(ctx, &in, x.from, x.to, func(content []byte) error {
		x.events.Sensors = s.sensors
		return x.chunk(content, each)
	})
}

// chunk takes one apart.
func (x *excerpt) chunk(content []byte, each func(*Event, uint64) error) error {
	if x.left -= len(content); x.left < 0 {
		return fmt.Errorf("%w: more than %d MiB", ErrTooLong, maxLead>>20)
	}
	return eachMessage(content, x.from, x.to, func(channel uint16, seq uint32, wall uint64, data []byte) error {
		// What an interrupted write left in two segments counts once.
		if seq <= x.events.last || channel == labelChannel || channel == clockChannel {
			return nil
		}
		x.events.last = seq
		e, err := x.events.event(channel, data)
		if err != nil {
			return fmt.Errorf("%w: record %d: %w", ErrUnreadable, seq, err)
		}
		return each(e, wall)
	})
}
