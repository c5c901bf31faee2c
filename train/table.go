package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/ragedge/ragedge/encoder"
)

// Parts of the data, as `ragedge features` numbers them in the tensor split.
var Parts = []string{"train", "validation", "test"}

// Set is data with a name, and the names of its groups.
type Set struct {
	*Data
	Name   string
	Groups []string // by number; nil: the numbers are all there is
}

// OpenSet opens a file as Open does. Close it.
func OpenSet(path string) (*Set, error) {
	file, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ReadSet(file, path)
	if err != nil {
		return nil, fmt.Errorf("data %s: %w", path, err)
	}
	return s, nil
}

// ReadSet reads a file as Open does, and has it closed: at once when it fails or fits into
// memory, else when the Set is.
func ReadSet(file File, name string) (*Set, error) {
	s, err := read(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s.Name = name
	if s.closer == nil {
		err = file.Close()
	}
	return s, err
}

// Rename gives labels other names, and makes one label of those that get the same. It
// returns names that no label has.
func (s *Set) Rename(names map[string]string) (unknown []string) {
	for from := range names {
		if !slices.Contains(s.Labels, from) {
			unknown = append(unknown, from)
		}
	}
	slices.Sort(unknown)
	if s.Labels == nil { // numbers, which have no names
		return unknown
	}
	var labels []string
	number := make([]int64, len(s.Labels))
	for i, label := range s.Labels {
		if to, ok := names[label]; ok {
			label = to
		}
		at := slices.Index(labels, label)
		if at < 0 {
			at, labels = len(labels), append(labels, label)
		}
		number[i] = int64(at)
	}
	for i, label := range s.Label {
		if label >= 0 {
			s.Label[i] = number[label]
		}
	}
	s.Labels = labels
	return unknown
}

// groupName returns the name of a group.
func (s *Set) groupName(group int64) string {
	if group >= 0 && group < int64(len(s.Groups)) {
		return s.Groups[group]
	}
	return fmt.Sprint(group)
}

// digest returns the SHA-256 of what is in the examples, wherever they came from.
func (d *Data) digest() (string, error) {
	h := sha256.New()
	room := d.room()
	var b []byte
	for m, modality := range d.Modalities {
		fmt.Fprintf(h, "%s %d %d %d\n", modality.Name, d.Len(), modality.Regions, modality.Features)
		for i := range d.Len() {
			r, err := d.Regions(i, m, room)
			if err != nil {
				return "", err
			}
			b = binary.LittleEndian.AppendUint32(b[:0], uint32(r.Rows))
			for _, v := range r.Data {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			}
			h.Write(b)
		}
	}
	fmt.Fprintf(h, "%q\n", d.Labels)
	for _, column := range [][]int64{d.Label, d.Group, d.Split, d.Time} {
		for _, v := range column {
			h.Write(binary.LittleEndian.AppendUint64(b[:0], uint64(v)))
		}
	}
	for _, v := range d.Target {
		h.Write(binary.LittleEndian.AppendUint32(b[:0], math.Float32bits(v)))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// sees returns an error when the data were made with other features than a model's. Where
// one of the two does not say, they agree.
func (d *Data) sees(features string) error {
	if features == "" || d.Features == "" {
		return nil
	}
	model, err := encoder.ParseFeatures([]byte(features))
	if err != nil {
		return err
	}
	have, err := encoder.ParseFeatures([]byte(d.Features))
	if err != nil {
		return fmt.Errorf("%w: features: %w", ErrData, err)
	}
	if key := have.Difference(model); key != "" {
		return fmt.Errorf("%w: the data and the model have different features: %s", ErrData, key)
	}
	return nil
}

// room returns space for the regions of any one modality of an example.
func (d *Data) room() []float32 {
	most := 0
	for _, m := range d.Modalities {
		most = max(most, m.Regions*m.Features)
	}
	return make([]float32, most)
}

// anything says whether an example has a row of any modality.
func (d *Data) anything(i int) bool {
	return slices.ContainsFunc(d.inputs, func(in input) bool { return in.lengths[i] > 0 })
}

// Only returns the examples of a part of the data, "" for all, and of the named groups,
// none for all.
func (s *Set) Only(part string, groups []string) ([]int, error) {
	number := slices.Index(Parts, part)
	switch {
	case part != "" && number < 0:
		return nil, fmt.Errorf("%w: part %q: want one of %q", ErrOption, part, Parts)
	case part != "" && s.Split == nil:
		return nil, fmt.Errorf("%w: %s does not say what examples are for: there is no split column", ErrData, s.Name)
	case len(groups) > 0 && s.Group == nil:
		return nil, fmt.Errorf("%w: %s has no groups", ErrData, s.Name)
	}
	var examples []int
	for i := range s.Len() {
		if (part == "" || s.Split[i] == int64(number)) && (len(groups) == 0 || slices.Contains(groups, s.groupName(s.Group[i]))) {
			examples = append(examples, i)
		}
	}
	if len(examples) == 0 {
		return nil, fmt.Errorf("%w: %s has no example of that part and those groups", ErrData, s.Name)
	}
	return examples, nil
}
