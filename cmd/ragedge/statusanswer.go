package main

import (
	"bytes"
	"encoding/json"
	"time"
)

// decision is a Result as the API writes it.
type decision struct {
	Time time.Time `json:"time"`
	// Label is nil when none was decided, or when the model has no labels.
	Label         *string            `json:"label"`
	RawLabel      string             `json:"raw_label"`
	Reason        string             `json:"reason"`
	Probabilities map[string]float64 `json:"probabilities"`
	Values        []float64          `json:"values"`
	Modalities    ordered[modality]  `json:"modalities"`
	Conflict      []string           `json:"conflict"`
	Readings      ordered[value]     `json:"readings"`
}

type modality struct {
	Share   float64
	Present bool
	Reason  string
	Age     *float64 `json:"age_s"`
}

type value struct {
	Value  *float64
	Reason string
}

// ordered is an object whose members keep the order in which they are written,
// which is the model's.
type ordered[T any] []member[T]

type member[T any] struct {
	name string
	is   T
}

func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return err // null is an object without members
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := member[T]{name: name.(string)} // keys are
		if err := d.Decode(&m.is); err != nil {
			return err
		}
		*o = append(*o, m)
	}
	return nil
}

// text is the answer in a word, and how sure it is of it, 0 to 1; sure is below 0
// where the model has no labels.
func (a *decision) text() (label string, sure float64) {
	switch {
	case a.Label != nil:
		sure, known := a.Probabilities[*a.Label]
		if !known {
			sure = -1
		}
		return *a.Label, sure
	case a.Reason != "":
		return "none: " + a.Reason, -1
	case len(a.Values) > 0:
		return numbers(a.Values), -1
	case len(a.Readings) > 0:
		return "no model: readings", -1
	}
	return "none", -1
}
