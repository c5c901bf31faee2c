package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Segment is a file of a directory as a list shows it.
type Segment struct {
	Name string
	// Open says that it is still written to, or was when the power went.
	Open  bool
	Bytes int64
	// Begin and End are wall times of its oldest and newest record, zero when it has
	// none yet.
	Begin, End time.Time
	// Messages and Labels are counted once a segment is closed.
	Messages, Labels int64
}

// List returns the newest segments of a directory, most of them at most, the newest
// first. A directory that is not there has none. One that another process has as its
// own may be listed all the same.
func List(dir string, most int) ([]Segment, error) {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Segment
	for _, f := range slices.Backward(found) {
		if !IsSegment(f.Name()) || !f.Type().IsRegular() {
			continue
		}
		if len(all) == most {
			break
		}
		s, err := look(dir, f.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed or removed a moment ago
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// IsSegment says whether a file has the name of a segment: letters, digits and
// "._-", beginning with a letter or digit.
func IsSegment(name string) bool {
	_, open := IsOpen(name)
	_, closed := isClosed(name)
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
	}
	return (open || closed) && len(name) <= 100 && !strings.ContainsFunc(name, odd) && !strings.ContainsRune("._-", rune(name[0]))
}

// OpenSegment opens a segment of a directory for reading. The error wraps
// fs.ErrNotExist for what is none, symbolic links and pipes among them.
func OpenSegment(dir, name string) (*os.File, error) {
	none := fmt.Errorf("recording %.100q: %w", name, fs.ErrNotExist)
	if !IsSegment(name) {
		return nil, none
	}
	path := filepath.Join(dir, name)
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, none
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if after, err := f.Stat(); err != nil || !os.SameFile(before, after) {
		f.Close()
		return nil, none
	}
	return f, nil
}

// look says what a list shows of a file, from its ending where it has one.
func look(dir, name string) (Segment, error) {
	s := Segment{Name: name}
	_, s.Open = IsOpen(name)
	f, err := OpenSegment(dir, name)
	if err != nil {
		return s, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return s, err
	}
	s.Bytes = info.Size()
	first, last, ok := s.readEnding(f)
	if !ok {
		first, last, ok = span(f, s.Bytes)
	}
	if ok {
		s.Begin, s.End = time.Unix(0, int64(first)).UTC(), time.Unix(0, int64(last)).UTC()
	}
	return s, nil
}

const (
	endingSize  = recordHead + 8 + 8 + 4 + len(mcapMagic) // of the footer and what follows
	statistics  = 8 + 2 + 4 + 4 + 4 + 4 + 8 + 8 + 4       // before the counts
	countedSize = 2 + 8
)

// readEnding reads the statistics that a closed segment has.
func (s *Segment) readEnding(r io.ReaderAt) (first, last uint64, ok bool) {
	var footer [endingSize]byte
	if s.Open || s.Bytes < int64(len(footer)) {
		return 0, 0, false
	}
	if _, err := r.ReadAt(footer[:], s.Bytes-int64(len(footer))); err != nil || footer[0] != opFooter {
		return 0, 0, false
	}
	summary := order.Uint64(footer[recordHead:])
	if summary == 0 || summary > uint64(s.Bytes) {
		return 0, 0, false
	}
	in := scanner{r: r, size: s.Bytes, at: int64(summary)}
	for {
		op, content, _, more, err := in.next()
		if err != nil || !more || op == opFooter {
			return 0, 0, false
		}
		if op != opStatistics || len(content) < statistics {
			continue
		}
		s.Messages = int64(order.Uint64(content))
		first, last = order.Uint64(content[26:]), order.Uint64(content[34:])
		for counts := content[statistics:]; len(counts) >= countedSize; counts = counts[countedSize:] {
			if order.Uint16(counts) == labelChannel {
				s.Labels = int64(order.Uint64(counts[2:]))
			}
		}
		return first, last, s.Messages > 0
	}
}

// span finds the wall times of the oldest and the newest record by the heads of the
// chunks.
func span(r io.ReaderAt, size int64) (first, last uint64, ok bool) {
	in := scanner{r: r, size: size, at: int64(len(mcapMagic))}
	for {
		op, from, to, more, err := in.peek()
		if err != nil || !more {
			return first, last, ok
		}
		if op == opChunk {
			if !ok {
				first = from
			}
			first, last, ok = min(first, from), max(last, to), true
		}
		in.skip()
	}
}

// peek returns what kind of record comes next and, of a chunk, the wall times of its
// oldest and newest message. ok is false where no whole record follows.
func (s *scanner) peek() (op byte, first, last uint64, ok bool, err error) {
	var head [recordHead + 16]byte
	n, err := s.r.ReadAt(head[:min(int64(len(head)), max(0, s.size-s.at))], s.at)
	if n < recordHead {
		return 0, 0, 0, false, ignoreEnd(err)
	}
	length := order.Uint64(head[1:])
	if head[0] == 0 || length > maxRecordSize || int64(length) > s.size-s.at-recordHead {
		return 0, 0, 0, false, nil
	}
	s.length = int64(length)
	if head[0] == opChunk && length >= 16 {
		first, last = order.Uint64(head[recordHead:]), order.Uint64(head[recordHead+8:])
	}
	return head[0], first, last, true, ignoreEnd(err)
}

// skip goes past the record that peek saw.
func (s *scanner) skip() { s.at += recordHead + s.length }

func ignoreEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
