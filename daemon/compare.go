package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ragedge/ragedge/result"
)

// KernelTolerance is how far the numbers of two kernel sets may lie apart, in
// units of the largest of the vector that they stand in, but at least of 1: either may be off by the 5e-6 within which the golden files of fusion hold it.
const KernelTolerance = 1e-5

// Comparison holds the Results of a replay against those that there should be. Two
// of one moment are the same when every key is that the expected one has, but for
// what the wall clock says. Numbers have to be the same to the last bit when both
// come from one kernel set, else within KernelTolerance. When they come from two
// models, only their labels are compared.
type Comparison struct {
	// Expected counts the Results that there should be, Compared those that the
	// replay had too, and Same those of them that were the same. Extra are Results
	// of the replay that there should not be.
	Expected int `json:"expected"`
	Compared int `json:"compared"`
	Same     int `json:"same"`
	Extra    int `json:"extra"`
	// Exact counts the pairs that were compared bit for bit, and Models those whose
	// models differ, of which only the label counts.
	Exact  int `json:"exact"`
	Models int `json:"other_model"`
	// First is the first difference, nil without one.
	First *Difference `json:"first_difference,omitempty"`
	// Lacks says, for every recording that does not hold all that led to its
	// Results, what it lacks.
	Lacks []string `json:"lacks,omitempty"`

	tolerance float64 // 0: as the kernel sets say
	want      []expected
}

// Difference is one key that is not what it should be. Modality is empty for a key
// of the Result itself. Want and Got are JSON, empty where the key is missing.
type Difference struct {
	Seq      uint64        `json:"seq"`
	Mono     time.Duration `json:"mono_ns"`
	Modality string        `json:"modality,omitempty"`
	Key      string        `json:"key"`
	Want     string        `json:"want"`
	Got      string        `json:"got"`
}

// expected is a Result that there should be.
type expected struct {
	Seq   uint64        `json:"seq"`
	Mono  time.Duration `json:"mono_ns"`
	Model string        `json:"model"`
	Set   string        `json:"kernel_set"`
	text  []byte
}

// OK says that nothing differs.
func (c *Comparison) OK() bool { return c.Same == c.Expected && c.Extra == 0 }

// expect adds a Result that there should be, as JSON; later ones follow in time.
func (c *Comparison) expect(text []byte) error {
	e := expected{text: text}
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("not a Result: %w", err)
	}
	c.want = append(c.want, e)
	c.Expected++
	return nil
}

// add compares a Result of the replay with that of its moment.
func (c *Comparison) add(r *result.Result) {
	for len(c.want) > 0 && c.want[0].Mono < r.Mono {
		c.miss(&c.want[0])
		c.want = c.want[1:]
	}
	if len(c.want) == 0 || c.want[0].Mono > r.Mono {
		c.Extra++
		c.differ(Difference{Seq: r.Seq, Mono: r.Mono, Key: "seq", Got: strconv.FormatUint(r.Seq, 10)})
		return
	}
	c.compare(&c.want[0], r)
	c.want = c.want[1:]
}

// finish counts what the replay did not have.
func (c *Comparison) finish() {
	for i := range c.want {
		c.miss(&c.want[i])
	}
	c.want = nil
}

// miss notes a Result that the replay did not have.
func (c *Comparison) miss(e *expected) {
	c.differ(Difference{Seq: e.Seq, Mono: e.Mono, Key: "seq", Want: strconv.FormatUint(e.Seq, 10)})
}

func (c *Comparison) differ(d Difference) {
	if c.First == nil {
		c.First = &d
	}
}

func (c *Comparison) compare(e *expected, r *result.Result) {
	c.Compared++
	want, got := object(e.text), object(r.AppendJSON(nil))
	m := match{exact: c.tolerance == 0 && e.Set == r.KernelSet, tolerance: c.tolerance}
	if m.tolerance == 0 {
		m.tolerance = KernelTolerance
	}
	if e.Model != r.Model {
		c.Models++
		m.exact = true
		want = map[string]any{"label": want["label"]}
	} else if m.exact {
		c.Exact++
	} else {
		m.forgive(want, got)
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if slices.Contains(notCompared, key) {
			continue
		}
		if path, ok := m.same([]string{key}, want[key], got[key], 1); !ok {
			d := Difference{Seq: e.Seq, Mono: e.Mono, Key: strings.Join(path, "."), Want: at(want, path), Got: at(got, path)}
			if path[0] == "modalities" && len(path) > 1 {
				d.Modality, d.Key = path[1], strings.Join(path[2:], ".")
			}
			c.differ(d)
			return
		}
	}
	c.Same++
}

// notCompared are keys that say when, by what and from what a Result was made, and how
// that machine was.
var notCompared = []string{"time", "time_quality", "boot_id", "model", "kernel_set", "readings", "degraded"}

// match is how closely two values have to agree.
type match struct {
	exact     bool
	tolerance float64
}

// same compares want with got and returns the path to the first difference.
func (m match) same(path []string, want, got any, scale float64) ([]string, bool) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return path, false
		}
		for _, key := range slices.Sorted(maps.Keys(w)) {
			if p, ok := m.same(append(slices.Clip(path), key), w[key], g[key], 1); !ok {
				return p, false
			}
		}
		return nil, true
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return path, false
		}
		scale = largestOf(w)
		for i := range w {
			if p, ok := m.same(append(slices.Clip(path), strconv.Itoa(i)), w[i], g[i], scale); !ok {
				return p, false
			}
		}
		return nil, true
	case json.Number:
		g, ok := got.(json.Number)
		if !ok || m.exact {
			return path, ok && g == w
		}
		return path, math.Abs(number(w)-number(g)) <= m.tolerance*max(scale, math.Abs(number(w)))
	}
	return path, want == got
}

// forgive lets a label be another one when both were as good as equally probable.
func (m match) forgive(want, got map[string]any) {
	p, _ := want["probabilities"].(map[string]any)
	a, _ := want["label"].(string)
	b, _ := got["label"].(string)
	if a != b && p[a] != nil && p[b] != nil && number(p[a])-number(p[b]) <= 2*m.tolerance {
		want["label"] = b
	}
}

// object reads a JSON object and keeps its numbers as they are written: one
// float32 has one text.
func object(text []byte) (o map[string]any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	_ = d.Decode(&o) // what cannot be read differs in every key
	return o
}

// at is what stands at a path, as JSON.
func at(v any, path []string) string {
	for _, key := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[key]
			if _, there := in[key]; !there {
				return ""
			}
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return ""
			}
			v = in[i]
		}
	}
	text, _ := json.Marshal(v) // it came from JSON
	return string(text)
}

func number(v any) float64 {
	n, _ := v.(json.Number)
	f, err := n.Float64()
	if err != nil {
		return math.NaN()
	}
	return f
}

// largestOf is the largest size of the numbers in a list, at least 1.
func largestOf(all []any) float64 {
	most := 1.
	for _, v := range all {
		if n := math.Abs(number(v)); n > most {
			most = n
		}
	}
	return most
}
