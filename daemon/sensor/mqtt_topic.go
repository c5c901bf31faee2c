package sensor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/encoder"
)

// FormatRegions is a word of data_format: each message is a push as the API takes
// it, with regions, samples or both.
const FormatRegions = "regions"

// plainReading names the value of a topic without wildcards whose messages are no
// objects.
const plainReading = "value"

// topic is an mqtt sensor.
type topic struct {
	index   int
	config  Config
	samples []encoder.Sample
}

// read makes readings of a message, if it is one of the sensor's.
func (t *topic) read(m arrived, deliver func(Reading)) {
	r := Reading{Sensor: t.index, At: m.at}
	if m.Topic == t.config.Availability {
		if said, known := availability(m.Payload); known {
			if !said {
				r.Err = fmt.Errorf("%w: %s says %.40q", ErrUnplugged, m.Topic, m.Payload)
			}
			deliver(r)
		}
		return
	}
	wild, ok := mqtt.Match(t.config.Topic, m.Topic)
	if !ok || m.Retain || len(m.Payload) == 0 {
		return // what the broker kept is of unknown age, and an empty message ends that
	}
	most := maxPayload
	if t.config.DataFormat == FormatRegions {
		most = maxRegions
	}
	switch {
	case len(m.Payload) > most:
		r.Err = fmt.Errorf("a message of %d bytes on %s, more than %d", len(m.Payload), m.Topic, most)
	case t.config.DataFormat == FormatRegions:
		r.Push = m.Payload
	default:
		t.samples = t.samples[:0]
		if r.Err = t.values(wild, m); r.Err != nil {
			r.Err = fmt.Errorf("topic %s: %w", m.Topic, r.Err)
		} else if len(t.samples) == 0 {
			return // nothing that channels names
		} else {
			r.Samples = t.samples
		}
	}
	deliver(r)
}

// values makes samples of what channels names in a message. wild is what the
// wildcards of the topic stood for: names begin with it.
func (t *topic) values(wild string, m arrived) error {
	var wrong error
	found := func(name string, v float64) {
		channel, wanted := t.config.Channels[name]
		if !wanted {
			return
		}
		if !isFinite(v) {
			wrong = fmt.Errorf("%s: %w: %v", name, ErrNonFinite, v)
		}
		t.samples = append(t.samples, encoder.Sample{Channel: channel, At: m.at, Value: v})
	}
	payload := bytes.TrimSpace(m.Payload)
	var err error
	switch {
	case t.config.DataFormat == FormatInflux:
		for line := range bytes.Lines(payload) {
			err = errors.Join(err, parseInflux(line, found))
		}
	case len(payload) > 0 && (payload[0] == '{' || payload[0] == '['):
		var all any
		if err = json.Unmarshal(payload, &all); err != nil {
			err = fmt.Errorf("%.40q is not JSON: %w", payload, err)
		} else {
			walk(wild, all, found)
		}
		if !t.wants(wild) {
			err = nil // it may be anything
		}
	default:
		if wild == "" {
			wild = plainReading
		}
		v, ok := number(string(payload))
		if _, wanted := t.config.Channels[wild]; wanted && !ok {
			err = fmt.Errorf("%.40q is neither a number nor on or off", payload)
		} else if ok {
			found(wild, v)
		}
	}
	return errors.Join(wrong, err)
}

// wants says whether channels names something in an object whose names begin with
// wild.
func (t *topic) wants(wild string) bool {
	if wild == "" {
		return true
	}
	for name := range t.config.Channels {
		if strings.HasPrefix(name, wild+".") {
			return true
		}
	}
	return false
}

// walk finds the numbers in what JSON says, down through objects and lists, as far as
// longestName.
func walk(name string, value any, found func(string, float64)) {
	if len(name) > longestName {
		return
	}
	below := func(key string, value any) {
		if name != "" {
			key = name + "." + key
		}
		walk(key, value, found)
	}
	switch v := value.(type) {
	case map[string]any:
		for key, value := range v {
			below(key, value)
		}
	case []any:
		for i, value := range v {
			below(strconv.Itoa(i), value)
		}
	case float64:
		found(name, v)
	case bool:
		found(name, truth(v))
	case string:
		if n, ok := number(v); ok {
			found(name, n)
		}
	}
}

// number reads a number, or on, off, true or false, in any case.
func number(text string) (v float64, ok bool) {
	switch strings.ToLower(text) {
	case "on", "true":
		return 1, true
	case "off", "false":
		return 0, true
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

// availability reads what a device, or the broker in its place, says of it: online
// or offline, in any case, plainly or as {"state": "online"}. "stopped" is ragedge's
// own word for a board that was switched off.
func availability(payload []byte) (online, known bool) {
	word := string(payload)
	var object struct{ State string }
	if json.Unmarshal(payload, &object) == nil {
		word = object.State
	}
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "online":
		return true, true
	case "offline", "stopped":
		return false, true
	}
	return false, false
}
