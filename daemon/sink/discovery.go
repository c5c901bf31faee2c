package sink

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ragedge/ragedge/daemon/mqtt"
)

// Announcement is what an MQTT sink tells Home Assistant about the board and what
// it decides.
type Announcement struct {
	mqtt.Board
	// Version of the program.
	Version string
	// Labels that a Result can have. Without labels, Values is how many values
	// it has.
	Labels []string
	Values int
	// Modalities of the model, and Readings that a Result carries. Without either
	// there is nothing to announce.
	Modalities []string
	Readings   []Channel
	// Labelled says that there is a recording, into which somebody can write what is
	// true.
	Labelled bool
	// Every is the time between Results; 0 when nothing is due at any time.
	Every time.Duration
}

// Channel is one that Results carry the newest value of, and its unit, empty when
// nobody knows it.
type Channel struct{ Name, Unit string }

// deviceClasses are the words of Home Assistant for what units measure, where the
// unit alone says it.
var deviceClasses = map[string]string{
	"°C": "temperature", "lx": "illuminance", "Pa": "pressure", "hPa": "pressure",
	"V": "voltage", "mV": "voltage", "A": "current", "mA": "current", "W": "power", "mW": "power",
}

// The keys of Home Assistant's device discovery, which it has understood since
// 2024.11. What stands at the top holds for all components.
type discovery struct {
	Device       discoveryDevice      `json:"device"`
	Origin       discoveryOrigin      `json:"origin"`
	Availability []availability       `json:"availability"`
	StateTopic   string               `json:"state_topic"`
	QoS          int                  `json:"qos"`
	Components   map[string]component `json:"components"`
}

type discoveryDevice struct {
	Identifiers  []string `json:"identifiers"`
	Name         string   `json:"name"`
	Manufacturer string   `json:"manufacturer"`
	Model        string   `json:"model,omitempty"`
	SerialNumber string   `json:"serial_number"`
	Version      string   `json:"sw_version,omitempty"`
}

type discoveryOrigin struct {
	Name    string `json:"name"`
	Version string `json:"sw_version,omitempty"`
	URL     string `json:"support_url"`
}

type availability struct {
	Topic string `json:"topic"`
	// Template maps "stopped" to what Home Assistant knows: it ignores a third
	// word and would take the board for online.
	Template string `json:"value_template"`
}

type component struct {
	Platform    string   `json:"platform"`
	UniqueID    string   `json:"unique_id"`
	Name        string   `json:"name"`
	DeviceClass string   `json:"device_class,omitempty"`
	StateClass  string   `json:"state_class,omitempty"`
	Category    string   `json:"entity_category,omitempty"`
	Options     []string `json:"options,omitempty"`
	Unit        string   `json:"unit_of_measurement,omitempty"`
	Template    string   `json:"value_template,omitempty"`
	State       string   `json:"state_topic,omitempty"`
	Command     string   `json:"command_topic,omitempty"`
	ExpireAfter int      `json:"expire_after,omitempty"` // seconds
}

const projectURL = "https://github.com/ragedge/ragedge"

// topic is where Home Assistant looks for the announcement.
func (a *Announcement) topic() string {
	return "homeassistant/device/" + a.node() + "/config"
}

func (a *Announcement) node() string { return "ragedge_" + a.ID }

// expireAfter is the age in seconds at which a state counts for nothing: three
// Results did not come. 0 means never.
func (a *Announcement) expireAfter() int {
	if a.Every == 0 {
		return 0
	}
	return max(30, int((3*a.Every + time.Second - 1).Seconds()))
}

// identifier makes a name one that Home Assistant takes as part of an ID.
func identifier(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, name)
}

// payload returns the announcement for Results on the topic base/state.
func (a *Announcement) payload(base string) ([]byte, error) {
	d := discovery{
		Device: discoveryDevice{
			Identifiers: []string{a.node()}, Name: a.Name, Manufacturer: "ragedge",
			Model: a.Model, SerialNumber: a.ID, Version: a.Version,
		},
		Origin:       discoveryOrigin{Name: "ragedge", Version: a.Version, URL: projectURL},
		Availability: []availability{{base + "/status", "{{ 'online' if value == 'online' else 'offline' }}"}},
		StateTopic:   base + "/state",
		QoS:          1,
		Components:   map[string]component{},
	}
	add := func(id string, c component) {
		c.UniqueID = a.node() + "_" + id
		c.ExpireAfter = a.expireAfter()
		d.Components[id] = c
	}
	if len(a.Labels) > 0 {
		add("label", component{Platform: "sensor", Name: "Label", DeviceClass: "enum", Options: a.Labels,
			Template: "{{ value_json.label }}"})
		add("confidence", component{Platform: "sensor", Name: "Confidence", StateClass: "measurement", Unit: "%",
			Category: "diagnostic",
			Template: "{{ (value_json.probabilities.values() | max * 100) | round(1) if value_json.probabilities is defined else none }}"})
	} else {
		for i := range a.Values {
			n := strconv.Itoa(i)
			add("value_"+n, component{Platform: "sensor", Name: "Value " + n, StateClass: "measurement",
				Template: "{{ value_json['values'][" + n + "] if value_json['values'] is defined else none }}"})
		}
	}
	for _, name := range a.Modalities {
		part := "value_json.modalities['" + name + "']" // of a-z, 0-9, _ and -
		add("problem_"+name, component{Platform: "binary_sensor", Name: name, DeviceClass: "problem",
			Category: "diagnostic",
			Template: "{{ 'OFF' if " + part + ".present else 'ON' }}"})
		add("share_"+name, component{Platform: "sensor", Name: name + " share", StateClass: "measurement", Unit: "%",
			Category: "diagnostic",
			Template: "{{ (" + part + ".share * 100) | round(1) }}"})
	}
	for i, c := range a.Readings {
		part := "value_json.readings[" + strconv.Quote(c.Name) + "]"
		id := "reading_" + identifier(c.Name)
		if _, taken := d.Components[id]; taken {
			id += "_" + strconv.Itoa(i)
		}
		add(id, component{Platform: "sensor", Name: c.Name, StateClass: "measurement",
			Unit: c.Unit, DeviceClass: deviceClasses[c.Unit],
			Template: "{{ " + part + ".value if " + part + ".value is defined else none }}"})
	}
	if a.selects() {
		d.Components["truth"] = component{Platform: "select", UniqueID: a.node() + "_truth", Name: "What is true",
			Category: "config", Options: append(slices.Clone(a.Labels), a.nothing()),
			State: base + labelTopic, Command: base + chooseTopic}
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("home assistant: %w", err)
	}
	return text, nil
}
