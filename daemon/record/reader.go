package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// Recording is what one run recorded, read back.
type Recording struct {
	Run
	// When is the word of Config by which it was recorded, Flight for a flight
	// recording, "" in files of an earlier version.
	When string
	// Start is the wall time of moment 0, by the best that was known of the clock.
	Start time.Time
	// Events are in the order in which they happened to the pipeline; nil from Open.
	// The first Before of them are of earlier files than those that were asked for.
	Events []Event
	Before int
	// First is the moment of the first event that was asked for, End the latest.
	First, End time.Duration
	// Labels are in the order in which they were given: a later one goes before
	// an earlier one where they overlap.
	Labels []Label
	// Damaged counts the chunks that were passed over because of a wrong CRC.
	Damaged int

	id          string
	first, last uint32 // oldest and newest record
	missing     int    // records between them
	dates       []date

	segments []Source
	count    int           // of events
	begun    time.Duration // the moment of the first event
	decides  bool
	each     func(i int, e *Event) error
}

// Kind says what an Event is.
type Kind int

// Kinds of Events.
const (
	ReadingEvent Kind = iota
	PushEvent
	ResultEvent
	HangEvent
)

// Event is one thing that happened to the pipeline.
type Event struct {
	Kind Kind
	At   time.Duration

	// Of a reading: the sensor, as an index of Run.Sensors, and what it delivered
	// or why it did not.
	Sensor        int
	Samples       []encoder.Sample
	Fault, Reason string

	// Of a push.
	Regions []Regions
	Pushed  []Pushed

	// Of a Result: its number, and its JSON form.
	Seq  uint64
	JSON []byte

	// Of a bus that hung at the next decision: the modality that is masked. Reason
	// says which bus.
	Modality string
}

// maxEvents bounds what Load holds in memory.
const maxEvents = 2 << 20

// Source is one segment to read.
type Source struct {
	Name string
	io.ReaderAt
	Size int64
	// Before marks a segment that is read only for what led up to the others.
	Before bool
}

// Load reads the segments of one run, in their order. A segment that is still
// open, or torn, is read as far as it goes. Errors name the segment.
func Load(segments []Source) (*Recording, error) {
	var events []Event
	r, err := open(segments, func(_ int, e *Event) error {
		if len(events) >= maxEvents {
			return fmt.Errorf("%w: more than %d records: name fewer segments", ErrUnreadable, maxEvents)
		}
		events = append(events, *e)
		return nil
	})
	if err == nil {
		r.Events = events
	}
	return r, err
}

// Open reads the segments of one run as Load does, but leaves the events where they
// are, for Each: however long a run is, it takes little memory.
func Open(segments []Source) (*Recording, error) {
	return open(segments, func(int, *Event) error { return nil })
}

func open(segments []Source, each func(i int, e *Event) error) (*Recording, error) {
	r := &Recording{segments: segments, each: each}
	if err := r.read(); err != nil {
		return nil, err
	}
	if r.count == r.Before {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, ErrEmpty)
	}
	r.settleDates()
	return r, nil
}

func (r *Recording) read() error {
	for i := range r.segments {
		s := &r.segments[i]
		if err := r.load(s, i == 0); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if s.Before {
			r.Before = r.count
		}
	}
	return nil
}

// Each reads the segments again and hands over the events in their order, from 0 on. It
// ends with the first error.
func (r *Recording) Each(f func(i int, e *Event) error) error {
	again := &Recording{segments: r.segments, each: f}
	if err := again.read(); err != nil {
		return err
	}
	if again.count != r.count || again.Damaged != r.Damaged {
		return fmt.Errorf("%w: %s: it changed while it was read", ErrUnreadable, r.segments[0].Name)
	}
	return nil
}

// Lacks says what of its run a recording does not hold, so that a replay of it
// need not give the same Results; "" when it has everything from the beginning.
func (r *Recording) Lacks() string {
	switch {
	case r.When != "" && r.When != Always:
		return fmt.Sprintf("it was recorded by %q: what came before, and between, is not in it", r.When)
	case r.first > 1:
		return fmt.Sprintf("it begins at record %d of its run: the files before it are gone", r.first)
	case r.Damaged > 0:
		return fmt.Sprintf("%d chunks are damaged", r.Damaged)
	case r.missing > 0:
		return fmt.Sprintf("%d records are missing", r.missing)
	}
	return ""
}

func (r *Recording) load(from *Source, first bool) error {
	begun := false
	s, err := scanSegment(from, from.Size, func(s *scan, messages []byte) error {
		if !begun {
			begun = true
			if err := r.begin(s, first); err != nil {
				return err
			}
		}
		for offset := 0; offset < len(messages); {
			_, content, next, ok := splitRecord(messages, offset)
			if !ok {
				return errDamaged
			}
			if err := r.message(content); err != nil {
				return err
			}
			offset = next
		}
		return nil
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	r.Damaged += s.damaged
	return nil
}

// begin takes in what a segment says about its run, before its first message.
func (r *Recording) begin(s *scan, first bool) error {
	a := s.about
	if a["format"] != "1" {
		return fmt.Errorf("%w: no recording of ragedge, or one of a newer version", ErrUnreadable)
	}
	if id := a["run"] + " " + a["boot_id"]; first {
		r.id = id
	} else if r.id != id {
		return fmt.Errorf("%w: it is of another run than the first; name the files of one run", ErrUnreadable)
	}
	tick, err := strconv.ParseInt(a["tick_ns"], 10, 64)
	if err != nil {
		return fmt.Errorf("%w: metadata tick_ns: %w", ErrUnreadable, err)
	}
	r.When = a["when"]
	r.Run = Run{
		Version: a["version"], BootID: a["boot_id"], Model: a["model"], KernelSet: a["kernel_set"],
		Tick: time.Duration(tick), Sensors: s.sensors,
	}
	return nil
}

// These are the messages' JSON forms.
type (
	reading struct {
		Mono   time.Duration      `json:"mono_ns"`
		Values map[string]float64 `json:"values"`
		Error  string             `json:"error"`
		Fault  string             `json:"fault"`
	}
	push struct {
		Mono    time.Duration `json:"mono_ns"`
		Regions []struct {
			Modality string        `json:"modality"`
			At       time.Duration `json:"at_ns"`
			TTL      time.Duration `json:"ttl_ns"`
			Rows     int           `json:"rows"`
			Features int           `json:"features"`
			Data     []float32     `json:"data"`
		} `json:"regions"`
		Samples []struct {
			Channel string        `json:"channel"`
			Sensor  int           `json:"sensor"`
			At      time.Duration `json:"at_ns"`
			Value   float64       `json:"value"`
		} `json:"samples"`
	}
	label struct {
		Label  string         `json:"label"`
		From   time.Duration  `json:"from_ns"`
		To     *time.Duration `json:"to_ns"`
		Source string         `json:"source"`
	}
	hang struct {
		Mono     time.Duration `json:"mono_ns"`
		Modality string        `json:"modality"`
		Reason   string        `json:"reason"`
	}
	outcome struct {
		Seq  uint64        `json:"seq"`
		Mono time.Duration `json:"mono_ns"`
	}
)

// message takes one in. One that an interrupted write left in two segments counts
// once.
func (r *Recording) message(content []byte) error {
	channel, seq := order.Uint16(content), order.Uint32(content[2:])
	if seq <= r.last {
		return nil
	}
	if r.first == 0 {
		r.first, r.last = seq, seq-1
	}
	r.missing += int(seq - r.last - 1)
	r.last = seq
	wall, data := int64(order.Uint64(content[6:])), content[messageHead-recordHead:]
	e, err := r.event(channel, data)
	if err != nil {
		return fmt.Errorf("%w: record %d: %w", ErrUnreadable, seq, err)
	}
	if channel == clockChannel {
		return r.date(wall, data)
	}
	if e == nil {
		return nil
	}
	return r.take(e, wall)
}

func (r *Recording) take(e *Event, wall int64) error {
	if r.count == 0 {
		r.dates = append([]date{{e.At, wall - int64(e.At), ""}}, r.dates...)
		r.begun = e.At
	}
	if r.count == r.Before { // until the files before are through, and then for good
		r.First = e.At
	}
	r.End = max(r.End, e.At)
	r.decides = r.decides || e.Kind == ResultEvent
	r.count++
	return r.each(r.count-1, e)
}

// event reads the data of a message; nil for what happened outside the pipeline.
func (r *Recording) event(channel uint16, data []byte) (*Event, error) {
	switch channel {
	case clockChannel:
		return nil, nil
	case labelChannel:
		var l label
		if err := json.Unmarshal(data, &l); err != nil {
			return nil, err
		}
		out := Label{Label: l.Label, From: l.From, Source: l.Source}
		if l.To != nil {
			out.Until, out.To = true, *l.To
		}
		r.Labels = append(r.Labels, out)
		return nil, nil
	case resultChannel:
		var o outcome
		err := json.Unmarshal(data, &o)
		return &Event{Kind: ResultEvent, At: o.Mono, Seq: o.Seq, JSON: bytes.Clone(data)}, err
	case pushChannel:
		return readPush(data)
	case hangChannel:
		var h hang
		err := json.Unmarshal(data, &h)
		return &Event{Kind: HangEvent, At: h.Mono, Modality: h.Modality, Reason: h.Reason}, err
	}
	sensor := int(channel) - sensorChannel
	if sensor < 0 || sensor >= len(r.Sensors) {
		return nil, fmt.Errorf("channel %d is not in the file", channel)
	}
	var m reading
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	e := &Event{Kind: ReadingEvent, At: m.Mono, Sensor: sensor, Fault: m.Fault, Reason: m.Error}
	for _, name := range slices.Sorted(maps.Keys(m.Values)) {
		e.Samples = append(e.Samples, encoder.Sample{Channel: name, At: m.Mono, Value: m.Values[name]})
	}
	return e, nil
}

func readPush(data []byte) (*Event, error) {
	var p push
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	e := &Event{Kind: PushEvent, At: p.Mono}
	for _, r := range p.Regions {
		if r.Rows < 0 || r.Features < 0 || r.Rows*r.Features != len(r.Data) {
			return nil, fmt.Errorf("modality %s: %d values are not %d rows of %d", r.Modality, len(r.Data), r.Rows, r.Features)
		}
		e.Regions = append(e.Regions, Regions(r))
	}
	for _, s := range p.Samples {
		e.Pushed = append(e.Pushed, Pushed(s))
	}
	return e, nil
}

// Truth is the label that holds at a moment, "" when none does.
func (r *Recording) Truth(at time.Duration) string {
	for i := len(r.Labels) - 1; i >= 0; i-- {
		l := &r.Labels[i]
		if l.From <= at && (!l.Until || at < l.To) {
			return l.Label
		}
	}
	return ""
}

// Decides says whether the recording has decisions of a model.
func (r *Recording) Decides() bool { return r.decides }
