package safetensors

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Bytes returns f in the format. The same tensors and metadata always give the
// same bytes: metadata by key, tensors as they stand but wider elements first,
// so that every tensor lies aligned in a file that is mapped. What Parse would
// refuse is an error.
func (f *File) Bytes() ([]byte, error) {
	tensors := aligned(f.Tensors)
	sizes := make([]int64, len(tensors))
	for i, t := range tensors {
		sizes[i] = int64(len(t.Data))
	}
	b, size, err := encodeHeader(f.Metadata, tensors, sizes, MaxSize)
	if err != nil {
		return nil, err
	}
	b = slices.Grow(b, int(size))
	for _, t := range tensors {
		b = append(b, t.Data...)
	}
	return b, nil
}

// aligned returns the tensors in an order in which each lies aligned: wider elements
// first.
func aligned(tensors []Tensor) []Tensor {
	out := make([]Tensor, 0, len(tensors))
	for _, width := range []int{8, 4, 2, 1, 0} { // 0 is that of no type, which is refused later
		for _, t := range tensors {
			if t.DType.Size() == width {
				out = append(out, t)
			}
		}
	}
	return out
}

// encodeHeader returns what stands before the data of a file of at most most bytes, and
// how many bytes of data follow. sizes are those of the tensors' Data, which are not
// looked at.
func encodeHeader(metadata map[string]string, tensors []Tensor, sizes []int64, most int64) (b []byte, size int64, err error) {
	b = append(make([]byte, lengthSize), '{')
	if metadata != nil {
		b = append(appendString(b, metadataKey), ":{"...)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, key), ':')
			b = appendString(b, metadata[key])
		}
		b = append(b, '}')
	}
	for i, t := range tensors {
		if i > 0 || metadata != nil {
			b = append(b, ',')
		}
		b = append(appendString(b, t.Name), `:{"dtype":`...)
		b = append(appendString(b, string(t.DType)), `,"shape":[`...)
		for j, dim := range t.Shape {
			if j > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(dim), 10)
		}
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, size, size+sizes[i])
		size += sizes[i]
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	header := b[lengthSize:]
	binary.LittleEndian.PutUint64(b, uint64(len(header)))
	if _, err := headerLength(b[:lengthSize], int64(len(b))+size, most); err != nil {
		return nil, 0, fmt.Errorf("cannot be written: %w", err)
	}
	if _, _, err := parseHeader(header, size, most); err != nil {
		return nil, 0, fmt.Errorf("cannot be written: %w", err)
	}
	return b, size, nil
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
