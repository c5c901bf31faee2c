package train

import (
	"errors"
	"fmt"
	"io"

	"github.com/ragedge/ragedge/fusion"
)

// ErrData is wrapped by every error about what is in the data.
var ErrData = errors.New("bad training data")

// Unlabelled is the label of an example that has none.
const Unlabelled = -1

// Data is examples to train on: the regions of every modality, and what is known of each
// example. It is read by index, in memory or from a file; several goroutines may read it.
type Data struct {
	Modalities []fusion.Modality // what there is, and how much of it at most
	Labels     []string          // names of the labels; nil when these are only numbers
	Features   string            // the feature definitions as JSON, "" for none

	// Of every example; nil when the data do not have it.
	Label   []int64   // or Unlabelled
	Target  []float32 // [examples, Targets], for regression; a NaN is unknown
	Targets int
	Group   []int64 // examples of a group belong together
	Split   []int64
	Time    []int64 // Unix time in nanoseconds

	inputs []input
	closer io.Closer
}

// input is the regions of one modality.
type input struct {
	lengths []int64   // valid rows of every example
	values  []float32 // [examples, N_m, d_m]; nil: they are in a file
	file    io.ReaderAt
	at      int64 // where they begin there
}

// NewData returns data in memory that the caller goes on to describe with labels and so
// on. values holds [examples, regions, features] of every modality and lengths the valid
// rows of every example; both are kept.
func NewData(modalities []fusion.Modality, values [][]float32, lengths [][]int64) (*Data, error) {
	if len(modalities) == 0 || len(values) != len(modalities) || len(lengths) != len(modalities) {
		return nil, fmt.Errorf("%w: %d modalities, values of %d and lengths of %d", ErrData, len(modalities), len(values), len(lengths))
	}
	d := &Data{Modalities: modalities}
	for m, modality := range modalities {
		if want := len(lengths[0]) * modality.Regions * modality.Features; len(values[m]) != want {
			return nil, fmt.Errorf("%w: %s has %d values, want %d", ErrData, modality.Name, len(values[m]), want)
		}
		d.inputs = append(d.inputs, input{lengths: lengths[m], values: values[m]})
	}
	return d, d.checkLengths()
}

func (d *Data) checkLengths() error {
	for m, modality := range d.Modalities {
		if len(d.inputs[m].lengths) != d.Len() {
			return fmt.Errorf("%w: %s has %d examples and %s has %d", ErrData, d.Modalities[0].Name, d.Len(), modality.Name, len(d.inputs[m].lengths))
		}
		for i, n := range d.inputs[m].lengths {
			if n < 0 || n > int64(modality.Regions) {
				return fmt.Errorf("%w: %s has %d rows in example %d, want 0 to %d", ErrData, modality.Name, n, i, modality.Regions)
			}
		}
	}
	return nil
}

// Len returns how many examples there are.
func (d *Data) Len() int { return len(d.inputs[0].lengths) }

// Rows returns how many valid rows an example has of modality m; 0: it is absent.
func (d *Data) Rows(example, m int) int { return int(d.inputs[m].lengths[example]) }

// Regions reads the valid rows of modality m of an example. The result lies in room,
// which must have space for them, or is part of the data and must not be changed.
func (d *Data) Regions(example, m int, room []float32) (fusion.Regions, error) {
	modality, in := d.Modalities[m], &d.inputs[m]
	rows := d.Rows(example, m)
	n, first := rows*modality.Features, int64(example)*int64(modality.Regions)*int64(modality.Features)
	r := fusion.Regions{Rows: rows, Features: modality.Features}
	if in.values != nil || n == 0 {
		r.Data = in.values[min(first, int64(len(in.values))):][:n]
		return r, nil
	}
	r.Data = room[:n]
	if err := readFloats(in.file, in.at+4*first, r.Data); err != nil {
		return fusion.Regions{}, fmt.Errorf("%s of example %d: %w", modality.Name, example, err)
	}
	return r, nil
}

// Close closes the file that is read from, if there is one.
func (d *Data) Close() error {
	if d.closer == nil {
		return nil
	}
	return d.closer.Close()
}
