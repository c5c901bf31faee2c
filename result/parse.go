package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// MarshalJSON returns what AppendJSON writes.
func (r Result) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

// UnmarshalJSON replaces r by the Result that text is the JSON form of, in slices
// of its own. Keys it does not know are skipped, so that a client of today reads
// the Results of a later daemon. A number written as null is NaN; Labels holds
// the names of the probabilities, or is empty but not nil when label is null.
func (r *Result) UnmarshalJSON(text []byte) error {
	var form struct {
		Seq           uint64          `json:"seq"`
		Time          time.Time       `json:"time"`
		Quality       string          `json:"time_quality"`
		Mono          time.Duration   `json:"mono_ns"`
		BootID        string          `json:"boot_id"`
		Label         json.RawMessage `json:"label"`
		RawLabel      string          `json:"raw_label"`
		Reason        string          `json:"reason"`
		Probabilities probabilities   `json:"probabilities"`
		Values        []float         `json:"values"`
		Model         string          `json:"model"`
		KernelSet     string          `json:"kernel_set"`
		Modalities    modalities      `json:"modalities"`
		Conflict      []string        `json:"conflict"`
		Readings      readings        `json:"readings"`
		Degraded      []string        `json:"degraded"`
	}
	if err := json.Unmarshal(text, &form); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	*r = Result{
		Seq: form.Seq, Time: form.Time, Quality: form.Quality, Mono: form.Mono, BootID: form.BootID,
		RawLabel: form.RawLabel, Reason: form.Reason, Labels: form.Probabilities.labels, Probabilities: form.Probabilities.values,
		Model: form.Model, KernelSet: form.KernelSet, Modalities: form.Modalities, Readings: form.Readings, Degraded: form.Degraded,
	}
	for i := range r.Modalities {
		r.Modalities[i].Conflict = slices.Contains(form.Conflict, r.Modalities[i].Name)
	}
	for _, v := range form.Values {
		r.Values = append(r.Values, float32(v))
	}
	if form.Label == nil {
		return nil
	}
	if r.Labels == nil {
		r.Labels = []string{}
	}
	if err := json.Unmarshal(form.Label, &r.Label); err != nil {
		return fmt.Errorf("result: label: %w", err)
	}
	return nil
}

// float is a float32 whose null is NaN.
type float float32

func (f *float) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*f = float(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float32)(f))
}

// probabilities is the object of that name, in the order of the text.
type probabilities struct {
	labels []string
	values []float32
}

func (p *probabilities) UnmarshalJSON(text []byte) error {
	return members(text, func(label string, value json.RawMessage) error {
		var v float
		if err := json.Unmarshal(value, &v); err != nil {
			return fmt.Errorf("probabilities: %s: %w", label, err)
		}
		p.labels, p.values = append(p.labels, label), append(p.values, float32(v))
		return nil
	})
}

// modalities is the object of that name, in the order of the text.
type modalities []Modality

func (m *modalities) UnmarshalJSON(text []byte) error {
	return members(text, func(name string, value json.RawMessage) error {
		form := struct {
			Share   float   `json:"share"`
			Effect  *float  `json:"effect"`
			Present bool    `json:"present"`
			Reason  string  `json:"reason"`
			Age     seconds `json:"age_s"`
			Rows    int     `json:"rows"`
		}{Age: -1}
		if err := json.Unmarshal(value, &form); err != nil {
			return fmt.Errorf("modalities: %s: %w", name, err)
		}
		part := Modality{
			Name: name, Share: float32(form.Share), Present: form.Present, Reason: form.Reason,
			Age: time.Duration(form.Age), Rows: form.Rows,
		}
		if form.Effect != nil {
			part.Measured, part.Effect = true, float32(*form.Effect)
		}
		*m = append(*m, part)
		return nil
	})
}

// readings is the object of that name, in the order of the text.
type readings []Reading

func (r *readings) UnmarshalJSON(text []byte) error {
	return members(text, func(channel string, value json.RawMessage) error {
		form := struct {
			Value  *float64 `json:"value"`
			Reason string   `json:"reason"`
			Age    seconds  `json:"age_s"`
		}{Age: -1}
		if err := json.Unmarshal(value, &form); err != nil {
			return fmt.Errorf("readings: %s: %w", channel, err)
		}
		reading := Reading{Channel: channel, Reason: form.Reason, Age: time.Duration(form.Age)}
		switch {
		case form.Value != nil:
			reading.Value = *form.Value
		case form.Reason == "":
			reading.Value = math.NaN()
		}
		*r = append(*r, reading)
		return nil
	})
}

// seconds is a duration written as a number of seconds, to the nanosecond.
type seconds time.Duration

func (d *seconds) UnmarshalJSON(text []byte) error {
	var v float64
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	ns := math.Round(v * 1e9)
	if ns < math.MinInt64 || ns >= math.MaxInt64 {
		return fmt.Errorf("%s seconds are more than 292 years", text)
	}
	*d = seconds(ns)
	return nil
}

// members calls visit with every member of a JSON object, in order; null has
// none. The text is valid JSON.
func members(text []byte, visit func(key string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	start, err := d.Token()
	if err != nil || start == nil {
		return err
	}
	if start != json.Delim('{') {
		return errors.New("want an object {…}")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := visit(key.(string), value); err != nil {
			return err
		}
	}
	return nil
}
