package train

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"unsafe"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
)

// inMemory is the size in bytes up to which a file is read as a whole. Examples of larger
// ones are read when they are needed.
var inMemory int64 = 64 << 20

// mostNumbers is how many labels without names there may be: each is an output of the
// model, whether an example has it or not.
const mostNumbers = 1 << 16

// The tensors of a data file that are not regions.
const (
	labelTensor, groupTensor, splitTensor = "label", "group", "split"
	timeTensor, targetTensor              = "time_ns", "target"
)

// Open reads a file that `ragedge features` writes: for each modality F32 NAME [examples,
// regions, features] with I64 NAME.length [examples]; I64 label, group, split and time_ns
// [examples], F32 target [examples] or [examples, targets], all optional; and the metadata
// labels and features. Only what is small is kept in memory of a large file: close the
// Data. Errors about the content wrap ErrData.
func Open(path string) (*Data, error) {
	s, err := OpenSet(path)
	if err != nil {
		return nil, err
	}
	return s.Data, nil
}

// File is a data file that is open.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// openFile opens a file of the file system.
func openFile(path string) (File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return sizedFile{file, info.Size()}, nil
}

type sizedFile struct {
	*os.File
	size int64
}

func (f sizedFile) Size() int64 { return f.size }

// stored is a tensor of the header. The package safetensors reads files as a whole, and
// none as large as data may be.
type stored struct {
	name    string
	DType   safetensors.DType `json:"dtype"`
	Shape   []int64           `json:"shape"`
	Offsets [2]int64          `json:"data_offsets"`
}

// content is what the header says is in a file.
type content struct {
	file     File
	start    int64 // of the data
	metadata map[string]string
	tensors  []*stored // in the order of their data
}

func read(file File) (*Set, error) {
	c, err := readHeader(file)
	if err != nil {
		return nil, err
	}
	d := &Data{Features: c.metadata["features"]}
	s := &Set{Data: d}
	for key, to := range map[string]*[]string{"labels": &d.Labels, "groups": &s.Groups} {
		if text := c.metadata[key]; text != "" {
			if err := json.Unmarshal([]byte(text), to); err != nil {
				return nil, fmt.Errorf("%w: the metadata %s are no list of names: %s", ErrData, key, err)
			}
		}
	}
	for _, t := range c.tensors {
		if t.DType == safetensors.F32 && len(t.Shape) == 3 && t.name != targetTensor {
			if err := d.addInput(c, t); err != nil {
				return nil, err
			}
		}
	}
	if len(d.inputs) == 0 {
		return nil, fmt.Errorf("%w: there is no modality, F32 [examples, regions, features]", ErrData)
	}
	if err := d.checkLengths(); err != nil {
		return nil, err
	}
	return s, d.describe(c)
}

func readHeader(file File) (*content, error) {
	c := &content{file: file}
	var length [8]byte
	if _, err := file.ReadAt(length[:], 0); err != nil {
		return nil, fmt.Errorf("%w: no safetensors file: %w", ErrData, err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > safetensors.MaxHeader || int64(n)+8 > file.Size() {
		return nil, fmt.Errorf("%w: no safetensors file: a header of %d bytes", ErrData, n)
	}
	header := make([]byte, n)
	if _, err := file.ReadAt(header, 8); err != nil {
		return nil, err
	}
	c.start = 8 + int64(n)
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(header, &entries); err != nil {
		return nil, fmt.Errorf("%w: no safetensors file: %s", ErrData, err)
	}
	for name, text := range entries {
		if name == "__metadata__" {
			if err := json.Unmarshal(text, &c.metadata); err != nil {
				return nil, fmt.Errorf("%w: metadata: %s", ErrData, err)
			}
			continue
		}
		t := &stored{name: name}
		if err := json.Unmarshal(text, t); err != nil {
			return nil, fmt.Errorf("%w: tensor %.100q: %s", ErrData, name, err)
		}
		if err := t.check(file.Size() - c.start); err != nil {
			return nil, err
		}
		c.tensors = append(c.tensors, t)
	}
	slices.SortFunc(c.tensors, func(a, b *stored) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.name, b.name))
	})
	return c, nil
}

// check holds shape and place of a tensor against each other and the bytes of data.
func (t *stored) check(size int64) error {
	const most = 1 << 40
	n := int64(t.DType.Size())
	for _, dim := range t.Shape {
		if dim < 0 || dim > most || n > most/max(dim, 1) {
			return fmt.Errorf("%w: %s has the shape %v", ErrData, t.name, t.Shape)
		}
		n *= dim
	}
	if t.Offsets[0] < 0 || t.Offsets[1] > size || t.Offsets[1]-t.Offsets[0] != n {
		return fmt.Errorf("%w: %s %v needs %d bytes, and has those from %d to %d of %d: is the file complete?",
			ErrData, t.name, t.Shape, n, t.Offsets[0], t.Offsets[1], size)
	}
	return nil
}

// find returns the tensor of that name, nil when there is none.
func (c *content) find(name string) *stored {
	if i := slices.IndexFunc(c.tensors, func(t *stored) bool { return t.name == name }); i >= 0 {
		return c.tensors[i]
	}
	return nil
}

// addInput takes a modality in.
func (d *Data) addInput(c *content, t *stored) (err error) {
	examples := t.Shape[0]
	m := fusion.Modality{Name: t.name, Regions: int(t.Shape[1]), Features: int(t.Shape[2])}
	if t.Shape[1] < 1 || t.Shape[2] < 1 || t.Shape[1] > math.MaxInt32/t.Shape[2] || examples > math.MaxInt32 {
		return fmt.Errorf("%w: %s has the shape %v", ErrData, t.name, t.Shape)
	}
	in := input{}
	if c.file.Size() <= inMemory {
		if in.values, err = c.float32s(t); err != nil {
			return err
		}
	} else {
		in.file, in.at, d.closer = c.file, c.start+t.Offsets[0], c.file
	}
	if in.lengths, err = c.int64s(t.name+".length", examples); err != nil {
		return err
	}
	if in.lengths == nil {
		in.lengths = make([]int64, examples)
		for i := range in.lengths {
			in.lengths[i] = int64(m.Regions)
		}
	}
	d.Modalities, d.inputs = append(d.Modalities, m), append(d.inputs, in)
	return nil
}

// describe takes in what is known of the examples.
func (d *Data) describe(c *content) (err error) {
	n := int64(d.Len())
	for name, to := range map[string]*[]int64{labelTensor: &d.Label, groupTensor: &d.Group, splitTensor: &d.Split, timeTensor: &d.Time} {
		if *to, err = c.int64s(name, n); err != nil {
			return err
		}
	}
	for i, label := range d.Label {
		if label < Unlabelled || d.Labels != nil && label >= int64(len(d.Labels)) {
			return fmt.Errorf("%w: the label of example %d is %d, and there are names for %d", ErrData, i, label, len(d.Labels))
		}
	}
	if d.Labels == nil {
		for i, label := range d.Label {
			if label >= mostNumbers {
				return fmt.Errorf("%w: the label of example %d is %d: labels without names are numbers from 0, %d at most", ErrData, i, label, mostNumbers-1)
			}
		}
	}
	t := c.find(targetTensor)
	if t == nil {
		return nil
	}
	if t.DType != safetensors.F32 || len(t.Shape) != 1 && len(t.Shape) != 2 || t.Shape[0] != n {
		return fmt.Errorf("%w: target is %s %v, want F32 [%d] or [%[4]d, targets]", ErrData, t.DType, t.Shape, n)
	}
	if d.Target, err = c.float32s(t); err != nil {
		return err
	}
	d.Targets = 1
	if len(t.Shape) == 2 {
		d.Targets = int(t.Shape[1])
	}
	return nil
}

// int64s returns an I64 tensor [n], nil when there is none.
func (c *content) int64s(name string, n int64) ([]int64, error) {
	t := c.find(name)
	if t == nil {
		return nil, nil
	}
	if t.DType != safetensors.I64 || len(t.Shape) != 1 || t.Shape[0] != n {
		return nil, fmt.Errorf("%w: %s is %s %v, want I64 [%d]", ErrData, name, t.DType, t.Shape, n)
	}
	values := make([]int64, n)
	return values, readNumbers(c.file, c.start+t.Offsets[0], values, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })
}

func (c *content) float32s(t *stored) ([]float32, error) {
	values := make([]float32, (t.Offsets[1]-t.Offsets[0])/4)
	return values, readFloats(c.file, c.start+t.Offsets[0], values)
}

func readFloats(file io.ReaderAt, at int64, to []float32) error {
	return readNumbers(file, at, to, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) })
}

// readNumbers reads numbers from a file into the memory of to, where they are decoded.
func readNumbers[T float32 | int64](file io.ReaderAt, at int64, to []T, decode func([]byte) T) error {
	size := int(unsafe.Sizeof(*new(T)))
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(to))), size*len(to))
	if n, err := file.ReadAt(b, at); n < len(b) {
		return err
	}
	for i := range to {
		to[i] = decode(b[size*i:])
	}
	return nil
}
