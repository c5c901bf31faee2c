package safetensors

import (
	"cmp"
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
	tensors := slices.Clone(f.Tensors)
	slices.SortStableFunc(tensors, func(a, b Tensor) int {
		return cmp.Compare(b.DType.Size(), a.DType.Size())
	})
	b := make([]byte, lengthSize)
	b = append(b, '{')
	if f.Metadata != nil {
		b = append(appendString(b, metadataKey), ":{"...)
		for i, key := range slices.Sorted(maps.Keys(f.Metadata)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, key), ':')
			b = appendString(b, f.Metadata[key])
		}
		b = append(b, '}')
	}
	size := 0
	for i, t := range tensors {
		if i > 0 || f.Metadata != nil {
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
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, size, size+len(t.Data))
		size += len(t.Data)
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	header := b[lengthSize:]
	binary.LittleEndian.PutUint64(b, uint64(len(header)))
	if _, err := headerLength(b[:lengthSize], int64(len(b)+size)); err != nil {
		return nil, fmt.Errorf("cannot be written: %w", err)
	}
	if _, _, err := parseHeader(header, size); err != nil {
		return nil, fmt.Errorf("cannot be written: %w", err)
	}
	b = slices.Grow(b, size)
	for _, t := range tensors {
		b = append(b, t.Data...)
	}
	return b, nil
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
