package record

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ragedge/ragedge/result"
)

// View says what of a segment is wanted: the records between two wall times, zero for
// all, in a line per Every, at most Lines of them. Every 0 gives as many as make a
// picture.
type View struct {
	From, To time.Time
	Every    time.Duration
	Lines    int
}

const (
	// maxViewed and maxChannels bound the messages whose values a line has, and the
	// channels.
	maxViewed   = 256 << 10
	maxChannels = 1024
)

// pictureLines is how many lines are enough to draw.
const pictureLines = 600

// ErrTooMuch is a View of more than its Lines.
var ErrTooMuch = errors.New("too many lines: ask for less time, or for fewer by a longer every")

// Thin reads a segment, which may still be open, and calls emit with JSON objects
// that it may keep until it returns: for each time of v.Every that has any records
// the newest Result in its JSON form, or {"time":…,"mono_ns":…} where there is none, and
// in either "readings" as a Result has them; and for each label
// {"labelled":{"label":…,"from":…,"to":…,"source":…}}. Memory is that of one chunk.
// Damaged chunks are passed over.
func Thin(ctx context.Context, r io.ReaderAt, size int64, v View, emit func(line []byte) error) error {
	if ok, err := startsRight(r, size); err != nil || !ok {
		return errors.Join(ErrUnreadable, err)
	}
	first, last, ok := span(r, size)
	if !ok {
		return nil
	}
	if !v.From.IsZero() {
		first = max(first, uint64(max(0, v.From.UnixNano())))
	}
	if !v.To.IsZero() {
		last = min(last, uint64(max(0, v.To.UnixNano())))
	}
	t := thinner{
		scan: scan{topics: map[uint16]string{}}, first: first, every: uint64(v.Every), most: v.Lines,
		emit: emit, newest: map[uint16]message{}, values: map[string]value{},
	}
	if t.every == 0 && last > first {
		t.every = (last-first)/pictureLines + 1
	}
	in := scanner{r: r, size: size, at: int64(len(mcapMagic))}
	err := t.between(ctx, &in, first, last, func(content []byte) error {
		return eachMessage(content, first, last, t.message)
	})
	if err != nil {
		return err
	}
	return t.flush()
}

// thinner makes lines of messages.
type thinner struct {
	scan
	first, every uint64
	emit         func([]byte) error
	most         int

	cell   uint64 // of what waits
	wall   uint64 // its newest message; 0: nothing waits
	mono   int64
	result []byte             // its newest Result, empty for none
	newest map[uint16]message // newest of every channel that has readings
	values map[string]value   // newest of every channel of a sensor
	line   []byte
}

// message is one that was not looked into yet.
type message struct {
	data []byte
	wall uint64
	read bool
}

// value is a result.Reading and when it was.
type value struct {
	result.Reading
	wall uint64
}

func (t *thinner) message(channel uint16, _ uint32, wall uint64, data []byte) error {
	readings := channel == pushChannel || channel >= sensorChannel && int(channel) < sensorChannel+len(t.sensors)
	switch {
	case channel == labelChannel:
		return t.labelled(wall, data)
	case channel != resultChannel && !readings, readings && len(data) > maxViewed:
		return nil // the clock's, which may be of another time than what is around it
	}
	cell := (wall - t.first) / max(1, t.every)
	if t.wall != 0 && cell != t.cell {
		if err := t.flush(); err != nil {
			return err
		}
	}
	if readings {
		m := t.newest[channel]
		t.newest[channel] = message{append(m.data[:0], data...), wall, false}
	} else {
		t.result = append(t.result[:0], data...)
	}
	t.cell, t.wall = cell, wall
	return nil
}

// send hands a line on.
func (t *thinner) send() error {
	if t.most--; t.most < 0 {
		return ErrTooMuch
	}
	return t.emit(t.line)
}

// labelled hands a label on.
func (t *thinner) labelled(wall uint64, data []byte) error {
	var l struct {
		label
		Mono time.Duration `json:"mono_ns"`
	}
	if json.Unmarshal(data, &l) != nil {
		return nil
	}
	moment := func(at time.Duration) []byte {
		return time.Unix(0, int64(wall)-int64(l.Mono-at)).UTC().AppendFormat(nil, time.RFC3339Nano)
	}
	b := append(t.line[:0], `{"labelled":{"label":`...)
	b = result.AppendString(b, l.Label)
	b = append(append(append(b, `,"from":"`...), moment(l.From)...), '"')
	if l.To != nil {
		b = append(append(append(b, `,"to":"`...), moment(*l.To)...), '"')
	}
	b = result.AppendString(append(b, `,"source":`...), l.Source)
	t.line = append(b, "}}"...)
	return t.send()
}

// flush hands on what waits.
func (t *thinner) flush() error {
	if t.wall == 0 {
		return nil
	}
	for channel, m := range t.newest {
		if !m.read {
			t.look(channel, m)
			m.read = true
			t.newest[channel] = m
		}
	}
	b := t.line[:0]
	if n := len(t.result); n > 2 && t.result[0] == '{' && t.result[n-1] == '}' && utf8.Valid(t.result) {
		b = append(b, t.result[:n-1]...)
	} else {
		b = append(b, `{"time":"`...)
		b = time.Unix(0, int64(t.wall)).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
		b = strconv.AppendInt(append(b, `","mono_ns":`...), t.mono, 10)
	}
	t.line = append(t.appendReadings(b), '}')
	t.result, t.wall = t.result[:0], 0
	return t.send()
}

// look takes the values of a reading or a push in.
func (t *thinner) look(channel uint16, m message) {
	var r struct {
		reading
		Samples []struct {
			Channel string  `json:"channel"`
			Value   float64 `json:"value"`
		} `json:"samples"`
	}
	if json.Unmarshal(m.data, &r) != nil {
		return
	}
	t.mono = max(t.mono, int64(r.Mono))
	set := func(name string, x float64, reason string) {
		if _, known := t.values[name]; !known && len(t.values) >= maxChannels {
			return
		}
		t.values[name] = value{result.Reading{Channel: name, Value: x, Reason: reason}, m.wall}
	}
	for name, x := range r.Values {
		set(name, x, "")
	}
	for _, s := range r.Samples {
		set(s.Channel, s.Value, "")
	}
	if i := int(channel) - sensorChannel; r.Error != "" && i >= 0 && i < len(t.sensors) {
		for _, name := range t.sensors[i].Channels {
			set(name, math.NaN(), r.Error)
		}
	}
}

// appendReadings appends the newest values, as a Result has them.
func (t *thinner) appendReadings(b []byte) []byte {
	if len(t.values) == 0 {
		return b
	}
	names := make([]string, 0, len(t.values))
	for name := range t.values {
		names = append(names, name)
	}
	slices.Sort(names)
	all := make([]result.Reading, 0, len(names))
	for _, name := range names {
		v := t.values[name]
		v.Age = time.Duration(max(0, int64(t.wall)-int64(v.wall)))
		all = append(all, v.Reading)
	}
	return result.AppendReadings(append(b, ','), all)
}
