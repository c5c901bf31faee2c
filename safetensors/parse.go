package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

const (
	lengthSize  = 8 // bytes of the header length a file begins with
	metadataKey = "__metadata__"
)

// Parse reads a file held in memory. The tensors' Data are parts of data.
func Parse(data []byte) (*File, error) {
	n, err := headerLength(data[:min(lengthSize, len(data))], int64(len(data)), MaxSize)
	if err != nil {
		return nil, err
	}
	header, body := data[lengthSize:lengthSize+n], data[lengthSize+n:]
	f, ends, err := parseHeader(header, int64(len(body)), MaxSize)
	if err != nil {
		return nil, err
	}
	begin := int64(0)
	for i, end := range ends {
		f.Tensors[i].Data = body[begin:end:end]
		begin = end
	}
	return f, nil
}

// headerLength returns the length of the header from the first bytes of a file
// of the given size, of which most is the limit.
func headerLength(start []byte, size, most int64) (int, error) {
	if size > most {
		return 0, fmt.Errorf("%w: %d bytes, at most %d are read", ErrFormat, size, most)
	}
	if len(start) < lengthSize {
		return 0, fmt.Errorf("%w: %d bytes are too short for the header length", ErrFormat, len(start))
	}
	n := binary.LittleEndian.Uint64(start)
	if room := min(size-lengthSize, MaxHeader); n < 2 || n > uint64(room) {
		return 0, fmt.Errorf("%w: byte 0: a header of %d bytes, want 2 to %d", ErrFormat, n, room)
	}
	return int(n), nil
}

// parseHeader reads the header of a file with size bytes of data. It returns the
// tensors, without data, in the order of their data, and where each one ends;
// each begins where the one before it ends. No number may be above most.
func parseHeader(header []byte, size, most int64) (*File, []int64, error) {
	s := &scanner{text: header, most: most}
	if header[0] != '{' {
		return nil, nil, s.fail("the header does not begin with '{'")
	}
	if !utf8.Valid(header) {
		return nil, nil, s.fail("the header is not UTF-8")
	}
	f := &File{}
	var entries []entry
	err := s.object(func(key string) error {
		if key == metadataKey {
			return s.metadata(f)
		}
		if key == "" {
			return s.fail("a tensor without a name")
		}
		if len(entries) == MaxTensors {
			return s.fail("more than %d tensors", MaxTensors)
		}
		e, err := s.entry(key)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	for ; s.at < len(header); s.at++ {
		if header[s.at] != ' ' {
			return nil, nil, s.fail("something follows the header")
		}
	}
	ends, err := f.layOut(entries, size, most)
	return f, ends, err
}

func (s *scanner) metadata(f *File) error {
	f.Metadata = map[string]string{}
	return s.object(func(key string) (err error) {
		if len(f.Metadata) == MaxTensors {
			return s.fail("more than %d metadata keys", MaxTensors)
		}
		f.Metadata[key], err = s.string()
		return err
	})
}

// entry is a tensor and where its data lie.
type entry struct {
	tensor     Tensor
	begin, end int64
}

func (s *scanner) entry(name string) (entry, error) {
	e := entry{tensor: Tensor{Name: name}}
	fields := 0
	err := s.object(func(key string) error {
		fields++
		switch key {
		case "dtype":
			t, err := s.string()
			e.tensor.DType = DType(t)
			return err
		case "shape":
			e.tensor.Shape = []int{}
			return s.list('[', ']', func() error {
				if len(e.tensor.Shape) == MaxRank {
					return s.fail("tensor %q has more than %d dimensions", name, MaxRank)
				}
				n, err := s.integer()
				if err == nil && n > math.MaxInt {
					err = s.fail("tensor %q has a dimension of %d, which this machine cannot count", name, n)
				}
				e.tensor.Shape = append(e.tensor.Shape, int(n))
				return err
			})
		case "data_offsets":
			offsets := make([]int64, 0, 2)
			err := s.list('[', ']', func() error {
				if len(offsets) == 2 {
					return s.fail("tensor %q has more than two offsets", name)
				}
				n, err := s.integer()
				offsets = append(offsets, n)
				return err
			})
			if err == nil && len(offsets) != 2 {
				return s.fail("tensor %q needs two offsets", name)
			}
			if err == nil {
				e.begin, e.end = offsets[0], offsets[1]
			}
			return err
		}
		return s.fail("tensor %q has an unknown field %q", name, key)
	})
	if err == nil && fields != 3 {
		err = s.fail("tensor %q needs dtype, shape and data_offsets", name)
	}
	return e, err
}

// layOut puts the entries in the order of their data, which must fill size bytes
// without hole or overlap, and returns the end of each.
func (f *File) layOut(entries []entry, size, most int64) ([]int64, error) {
	order := make([]int, len(entries))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(entries[i].begin, entries[j].begin), cmp.Compare(entries[i].end, entries[j].end))
	})
	f.Tensors = make([]Tensor, len(entries))
	ends := make([]int64, len(entries))
	at := int64(0)
	for i, place := range order {
		e := &entries[place]
		f.Tensors[i], ends[i] = e.tensor, e.end
		n, err := e.tensor.bytes(most)
		if err != nil {
			return nil, err
		}
		if e.begin != at || e.end-e.begin != n {
			return nil, fmt.Errorf("%w: tensor %q: data from %d to %d, want %d bytes from %d",
				ErrFormat, e.tensor.Name, e.begin, e.end, n, at)
		}
		at = e.end
	}
	if at != size {
		return nil, fmt.Errorf("%w: %d bytes of data, the header describes %d", ErrFormat, size, at)
	}
	return ends, nil
}

// bytes returns how many bytes the tensor's type and shape need. No product of
// dimensions may exceed most, not even beside a dimension of 0.
func (t *Tensor) bytes(most int64) (int64, error) {
	n := int64(t.DType.Size())
	if n == 0 {
		return 0, fmt.Errorf("%w: tensor %q: unknown type %.20q", ErrFormat, t.Name, t.DType)
	}
	empty := false
	for _, dim := range t.Shape {
		empty = empty || dim == 0
		if dim < 0 || int64(dim) > most/n {
			return 0, fmt.Errorf("%w: tensor %q: shape %v is too large", ErrFormat, t.Name, t.Shape)
		}
		n *= int64(max(dim, 1))
	}
	if empty {
		return 0, nil
	}
	return n, nil
}
