package main

import (
	"encoding/json"
	"math/rand/v2"

	"github.com/ragedge/ragedge/safetensors"
)

const (
	questionBits = objects + 2 + subtypes
	stateFeature = 2 + 2 + objects // x, y, shape, colour
)

// table collects questions about scenes in the form that ragedge features writes:
// the modality "question" is one row of bits, and "state" a row per object.
type table struct {
	question, state        []float32
	questions, states      []int64 // rows that count
	labels, groups, splits []int64
}

// add takes in the questions about the next scene that keep wants.
func (t *table) add(r *rand.Rand, group, split int64, keep func(question) bool) {
	s := draw(r)
	for _, q := range ask(r) {
		if !keep(q) {
			continue
		}
		t.question = append(t.question, q.bits()...)
		t.state = append(t.state, s.state()...)
		t.questions, t.states = append(t.questions, 1), append(t.states, objects)
		t.labels = append(t.labels, int64(s.answer(q)))
		t.groups, t.splits = append(t.groups, group), append(t.splits, split)
	}
}

// bits are the colour, one of two kinds and the subtype, a one in each part.
func (q question) bits() []float32 {
	bits := make([]float32, questionBits)
	bits[q.colour] = 1
	bits[objects] = 1
	if q.relational {
		bits[objects], bits[objects+1] = 0, 1
	}
	bits[objects+2+q.subtype] = 1
	return bits
}

// state is [objects, stateFeature]: centre in pixels, shape and colour.
func (s *scene) state() []float32 {
	all := make([]float32, objects*stateFeature)
	for i, o := range s {
		row := all[i*stateFeature:]
		row[0], row[1] = float32(o.x), float32(o.y)
		row[2] = 1
		if o.circle {
			row[2], row[3] = 0, 1
		}
		row[4+i] = 1
	}
	return all
}

const features = `{"modalities":{"question":{"encoder":"push","regions":1},"state":{"encoder":"push","regions":6}}}`

func (t *table) file() (*safetensors.File, error) {
	n := len(t.labels)
	labels, err := json.Marshal(answers)
	if err != nil {
		return nil, err
	}
	return &safetensors.File{
		Metadata: map[string]string{"features": features, "labels": string(labels), "splits": `["train","validation","test"]`},
		Tensors: []safetensors.Tensor{
			safetensors.NewFloat32("question", t.question, n, 1, questionBits),
			safetensors.NewInt64("question.length", t.questions, n),
			safetensors.NewFloat32("state", t.state, n, objects, stateFeature),
			safetensors.NewInt64("state.length", t.states, n),
			safetensors.NewInt64("label", t.labels, n),
			safetensors.NewInt64("group", t.groups, n),
			safetensors.NewInt64("split", t.splits, n),
		},
	}, nil
}
