package sensor

import (
	"encoding/binary"
	"io"
	"math"
)

// row is a row of a recording.
type row struct {
	at     int64  // Unix time in nanoseconds
	label  uint32 // an index of the recording's names
	mark   Mark
	values []float64 // by channel; absent and notFinite mark cells without a value
}

// rowHead is how many bytes a row takes before its values, which take eight each.
const rowHead = 8 + 4 + 4 + 4

// encode writes a row into b, which has its size.
func (r *row) encode(b []byte) {
	binary.LittleEndian.PutUint64(b, uint64(r.at))
	binary.LittleEndian.PutUint32(b[8:], r.label)
	binary.LittleEndian.PutUint32(b[12:], uint32(int32(r.mark.Split)))
	binary.LittleEndian.PutUint32(b[16:], math.Float32bits(r.mark.Target))
	for i, v := range r.values {
		binary.LittleEndian.PutUint64(b[rowHead+8*i:], math.Float64bits(v))
	}
}

// decode reads a row with as many values as it has room for.
func (r *row) decode(b []byte) {
	r.at = int64(binary.LittleEndian.Uint64(b))
	r.label = binary.LittleEndian.Uint32(b[8:])
	r.mark.Split = int(int32(binary.LittleEndian.Uint32(b[12:])))
	r.mark.Target = math.Float32frombits(binary.LittleEndian.Uint32(b[16:]))
	for i := range r.values {
		r.values[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[rowHead+8*i:]))
	}
}

// readAhead is about how many bytes of rows are read at a time.
const readAhead = 64 << 10

// rowReader reads rows of a recording in their order.
type rowReader struct {
	from   io.ReaderAt
	width  int // of a row
	next   int // the row that read reads
	end    int // the row that is not to be read any more
	buffer []byte
	rest   []byte // of the buffer, that was not handed out
}

// read fills in the next row. It is false at the end.
func (r *rowReader) read(to *row) (bool, error) {
	if r.next == r.end {
		return false, nil
	}
	if len(r.rest) == 0 {
		n := min(max(1, readAhead/r.width), r.end-r.next) * r.width
		if cap(r.buffer) < n {
			r.buffer = make([]byte, n)
		}
		r.rest = r.buffer[:n]
		if k, err := r.from.ReadAt(r.rest, int64(r.next)*int64(r.width)); k < n {
			return false, err
		}
	}
	to.decode(r.rest)
	r.rest = r.rest[r.width:]
	r.next++
	return true, nil
}
