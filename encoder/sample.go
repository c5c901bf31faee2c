// Package encoder turns raw input into region features: the rows of numbers that
// a model fuses. Training, replay and the live daemon run this same code on the
// same definitions, which stand in the model file.
package encoder

import "time"

// Sample is one value of one channel at one moment.
type Sample struct {
	Channel string
	// At lies on the pipeline's timeline: monotonic, from an origin that the
	// clock of the pipeline chose. Only differences mean anything.
	At    time.Duration
	Value float64
}
