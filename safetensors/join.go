package safetensors

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"sort"
)

// MaxJoined is how many bytes a Joined may have.
const MaxJoined = 1 << 40

// Part is a tensor of a Joined.
type Part struct {
	Name  string
	DType DType
	Shape []int
	// Data holds as many bytes as type and shape need, from its beginning.
	Data io.ReaderAt
}

// Joined is a file that need not fit into memory: its header is made up, and what
// comes after is read from the tensors' Data when it is needed. Several goroutines
// may read it when they may read those.
type Joined struct {
	parts []io.ReaderAt // the header and the data
	ends  []int64       // of the parts
}

// Join returns the file that File.Bytes would give for the same tensors and metadata,
// to the byte. It keeps the tensors' Data, which stay the caller's to close. What Parse
// would refuse is an error that wraps ErrFormat, but a Joined may be as large as
// MaxJoined; no one reads one larger than MaxSize as a whole.
func Join(metadata map[string]string, tensors []Part) (*Joined, error) {
	described := make([]Tensor, len(tensors))
	data := map[string]io.ReaderAt{} // a name that is there twice is refused
	for i, t := range tensors {
		described[i] = Tensor{Name: t.Name, DType: t.DType, Shape: t.Shape}
		data[t.Name] = t.Data
	}
	described = aligned(described)
	sizes := make([]int64, len(tensors))
	for i := range described {
		var err error
		if sizes[i], err = described[i].bytes(MaxJoined); err != nil {
			return nil, fmt.Errorf("cannot be written: %w", err)
		}
	}
	header, _, err := encodeHeader(metadata, described, sizes, MaxJoined)
	if err != nil {
		return nil, err
	}
	j := &Joined{parts: []io.ReaderAt{text(header)}, ends: []int64{int64(len(header))}}
	for i, t := range described {
		j.parts, j.ends = append(j.parts, data[t.Name]), append(j.ends, j.Size()+sizes[i])
	}
	return j, nil
}

// Size returns how many bytes the file has.
func (j *Joined) Size() int64 { return j.ends[len(j.ends)-1] }

// ReadAt reads part of the file, as io.ReaderAt has it. Data that end too early are
// io.ErrUnexpectedEOF.
func (j *Joined) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, fmt.Errorf("read at %d: %w", offset, fs.ErrInvalid)
	}
	for n < len(p) {
		at := offset + int64(n)
		i := sort.Search(len(j.ends), func(i int) bool { return j.ends[i] > at })
		if i == len(j.ends) {
			return n, io.EOF
		}
		begin := int64(0)
		if i > 0 {
			begin = j.ends[i-1]
		}
		want := p[n : n+int(min(int64(len(p)-n), j.ends[i]-at))]
		k, err := j.parts[i].ReadAt(want, at-begin)
		n += k
		switch {
		case k == len(want):
		case err == io.EOF:
			return n, io.ErrUnexpectedEOF
		default:
			return n, err
		}
	}
	return n, nil
}

// WriteFile writes the file as File.WriteFile does, in pieces. The end of ctx is an
// error like a full disk: what was at path stays.
func (j *Joined) WriteFile(ctx context.Context, path string, perm fs.FileMode) error {
	return replace(disk{}, path, &until{ctx, io.NewSectionReader(j, 0, j.Size())}, perm)
}

// until reads while ctx lasts.
type until struct {
	ctx context.Context
	io.Reader
}

func (u *until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}

// text is bytes to read from.
type text []byte

func (t text) ReadAt(p []byte, offset int64) (int, error) {
	if n := copy(p, t[min(offset, int64(len(t))):]); n < len(p) {
		return n, io.EOF
	}
	return len(p), nil
}
