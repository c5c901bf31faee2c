package record

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ragedge/ragedge/encoder"
)

// metadataName is the metadata record that says what a segment was recorded by.
const metadataName = "ragedge"

// Numbers of the channels. Those of the sensors follow, in the order of their
// [[sensor]] blocks.
const (
	pushChannel   = 1
	resultChannel = 2
	labelChannel  = 3
	clockChannel  = 4
	hangChannel   = 5
	sensorChannel = 10
)

var schemas = []schema{
	{1, "ragedge.Reading", `{"type":"object","required":["mono_ns"],"properties":{"mono_ns":{"type":"integer"},` +
		`"values":{"type":"object","additionalProperties":{"type":"number"}},"error":{"type":"string"},"fault":{"type":"string"}}}`},
	{2, "ragedge.Push", `{"type":"object","required":["mono_ns"],"properties":{"mono_ns":{"type":"integer"},` +
		`"regions":{"type":"array","items":{"type":"object","properties":{"modality":{"type":"string"},"at_ns":{"type":"integer"},` +
		`"ttl_ns":{"type":"integer"},"rows":{"type":"integer"},"features":{"type":"integer"},"data":{"type":"array","items":{"type":"number"}}}}},` +
		`"samples":{"type":"array","items":{"type":"object","properties":{"channel":{"type":"string"},"sensor":{"type":"integer"},` +
		`"at_ns":{"type":"integer"},"value":{"type":"number"}}}}}}`},
	{3, "ragedge.Result", `{"type":"object","required":["seq","mono_ns"],"properties":{"seq":{"type":"integer"},"time":{"type":"string"},` +
		`"time_quality":{"type":"string"},"mono_ns":{"type":"integer"},"boot_id":{"type":"string"},"label":{"type":["string","null"]},` +
		`"reason":{"type":"string"},"probabilities":{"type":"object"},"values":{"type":"array"},"model":{"type":"string"},` +
		`"kernel_set":{"type":"string"},"modalities":{"type":"object"}}}`},
	{4, "ragedge.Label", `{"type":"object","required":["mono_ns","label","from_ns"],"properties":{"mono_ns":{"type":"integer"},` +
		`"label":{"type":"string"},"from_ns":{"type":"integer"},"to_ns":{"type":"integer"},"source":{"type":"string"}}}`},
	{5, "ragedge.Clock", `{"type":"object","required":["mono_ns"],"properties":{"mono_ns":{"type":"integer"},"time_quality":{"type":"string"}}}`},
	{6, "ragedge.Hang", `{"type":"object","required":["mono_ns","modality","reason"],"properties":{"mono_ns":{"type":"integer"},` +
		`"modality":{"type":"string"},"reason":{"type":"string"}}}`},
}

// Sensor is one [[sensor]] block as a recording names it.
type Sensor struct {
	Alias, Type string
	Channels    []string
}

func (s *Sensor) pairs() []string {
	channels, _ := json.Marshal(s.Channels) // texts always can
	return []string{"alias", s.Alias, "type", s.Type, "channels", string(channels)}
}

func parseSensor(pairs map[string]string) (Sensor, error) {
	s := Sensor{Alias: pairs["alias"], Type: pairs["type"]}
	if err := json.Unmarshal([]byte(pairs["channels"]), &s.Channels); err != nil {
		return s, fmt.Errorf("metadata channels: %w", err)
	}
	return s, nil
}

// Run says what a recording is of.
type Run struct {
	Version, BootID, Model, KernelSet string
	// Tick is the time between decisions, 0 when there are none at set times.
	Tick    time.Duration
	Sensors []Sensor
}

// prologue is how every segment of a run begins.
type prologue struct {
	bytes             []byte
	schemas, channels []byte
	metadata          []byte // its index
	ids               []uint16
}

// newPrologue is that of a run, which is recorded by a word of Config.When.
func newPrologue(run *Run, id, when string, more ...string) *prologue {
	p := &prologue{}
	for _, s := range schemas {
		p.schemas = appendSchema(p.schemas, s)
	}
	all := []channel{
		{pushChannel, 2, "/push", nil}, {resultChannel, 3, "/result", nil},
		{labelChannel, 4, "/label", nil}, {clockChannel, 5, "/clock", nil}, {hangChannel, 6, "/hang", nil},
	}
	for i := range run.Sensors {
		s := &run.Sensors[i]
		all = append(all, channel{uint16(sensorChannel + i), 1, "/sensor/" + s.Alias, s.pairs()})
	}
	for _, c := range all {
		p.channels = appendChannel(p.channels, c)
		p.ids = append(p.ids, c.id)
	}
	p.bytes = appendHeader(nil, "ragedge "+run.Version)
	start := len(p.bytes)
	p.bytes = appendMetadata(p.bytes, metadataName, append([]string{
		"format", "1", "version", run.Version, "run", id, "boot_id", run.BootID,
		"model", run.Model, "kernel_set", run.KernelSet, "tick_ns", strconv.FormatInt(int64(run.Tick), 10), "when", when,
	}, more...))
	p.metadata = appendMetadataIndex(nil, metadataName, int64(start), int64(len(p.bytes)-start))
	p.bytes = append(append(p.bytes, p.schemas...), p.channels...)
	return p
}

// contents is what a new segment holds.
func (p *prologue) contents() contents {
	return contents{
		schemas: p.schemas, channels: p.channels, schemaCount: len(schemas), metadata: p.metadata,
		ids: p.ids, counts: make([]uint64, len(p.ids)),
	}
}

// Regions are pushed region features of one modality, before normalisation.
type Regions struct {
	Modality       string
	At, TTL        time.Duration
	Rows, Features int
	Data           []float32
}

// Pushed is one pushed sample. Sensor is its push sensor, -1 without one.
type Pushed struct {
	Channel string
	Sensor  int
	At      time.Duration
	Value   float64
}

func appendMono(b []byte, mono time.Duration) []byte {
	return strconv.AppendInt(append(b, `{"mono_ns":`...), int64(mono), 10)
}

func appendReading(b []byte, mono time.Duration, samples []encoder.Sample, fault, reason string) []byte {
	b = appendMono(b, mono)
	if len(samples) > 0 {
		b = append(b, `,"values":{`...)
		for i, s := range samples {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSON(b, s.Channel), ':')
			b = strconv.AppendFloat(b, s.Value, 'g', -1, 64)
		}
		b = append(b, '}')
	}
	if reason != "" {
		b = appendJSON(append(b, `,"error":`...), reason)
		b = appendJSON(append(b, `,"fault":`...), fault)
	}
	return append(b, '}')
}

func appendPush(b []byte, mono time.Duration, regions []Regions, samples []Pushed) []byte {
	b = append(appendMono(b, mono), `,"regions":[`...)
	for i, r := range regions {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(append(b, `{"modality":`...), r.Modality)
		b = strconv.AppendInt(append(b, `,"at_ns":`...), int64(r.At), 10)
		b = strconv.AppendInt(append(b, `,"ttl_ns":`...), int64(r.TTL), 10)
		b = strconv.AppendInt(append(b, `,"rows":`...), int64(r.Rows), 10)
		b = strconv.AppendInt(append(b, `,"features":`...), int64(r.Features), 10)
		b = append(b, `,"data":[`...)
		for j, v := range r.Data {
			if j > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendFloat(b, float64(v), 'g', -1, 32)
		}
		b = append(b, "]}"...)
	}
	b = append(b, `],"samples":[`...)
	for i, s := range samples {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(append(b, `{"channel":`...), s.Channel)
		b = strconv.AppendInt(append(b, `,"sensor":`...), int64(s.Sensor), 10)
		b = strconv.AppendInt(append(b, `,"at_ns":`...), int64(s.At), 10)
		b = strconv.AppendFloat(append(b, `,"value":`...), s.Value, 'g', -1, 64)
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// Label says what was true from one moment to another, or from From on until the
// next label when Until is not set.
type Label struct {
	Label    string
	From, To time.Duration
	Until    bool
	Source   string
}

func appendLabel(b []byte, mono time.Duration, l *Label) []byte {
	b = appendJSON(append(appendMono(b, mono), `,"label":`...), l.Label)
	b = strconv.AppendInt(append(b, `,"from_ns":`...), int64(l.From), 10)
	if l.Until {
		b = strconv.AppendInt(append(b, `,"to_ns":`...), int64(l.To), 10)
	}
	return append(appendJSON(append(b, `,"source":`...), l.Source), '}')
}

func appendClock(b []byte, mono time.Duration, quality string) []byte {
	return append(appendJSON(append(appendMono(b, mono), `,"time_quality":`...), quality), '}')
}

func appendHang(b []byte, mono time.Duration, modality, reason string) []byte {
	b = appendJSON(append(appendMono(b, mono), `,"modality":`...), modality)
	return append(appendJSON(append(b, `,"reason":`...), reason), '}')
}

const hex = "0123456789abcdef"

// appendJSON appends s as a JSON string. A byte that is not UTF-8 becomes U+FFFD.
func appendJSON(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
