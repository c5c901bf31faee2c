package record

import (
	"fmt"
	"strings"
	"time"
)

// Names of segments: RUN-NNNN and one of these. A segment is open until it has
// its ending; one with labels says so, because it is the last to be removed.
const (
	openSuffix   = ".mcap.open"
	closedSuffix = ".mcap"
	labelSuffix  = ".labels.mcap"
	badSuffix    = ".bad"
)

// segment is the file that is being written.
type segment struct {
	contents
	dir    Dir
	file   File
	name   string // without a suffix
	size   int64
	opened time.Duration
	chunk  chunk
	buf    []byte
}

// maxChunks bounds the memory that the index of a segment takes.
const maxChunks = 4096

// createSegment creates a segment, whose content begins with prologue, and makes
// its name durable if durable is true.
func createSegment(dir Dir, name string, p *prologue, durable bool) (*segment, error) {
	file, err := dir.Create(name + openSuffix)
	if err != nil {
		return nil, err
	}
	s := &segment{contents: p.contents(), dir: dir, file: file, name: name}
	if err := s.write(p.bytes); err != nil {
		file.Close()
		return nil, err
	}
	if durable {
		if err := dir.Sync(); err != nil {
			file.Close()
			return nil, err
		}
	}
	return s, nil
}

// write appends b to the file.
func (s *segment) write(b []byte) error {
	n, err := s.file.WriteAt(b, s.size)
	if err == nil && n < len(b) {
		err = fmt.Errorf("%d of %d bytes written", n, len(b))
	}
	if err != nil {
		return err
	}
	s.size += int64(len(b))
	return nil
}

// add writes messages as one chunk and its indexes.
func (s *segment) add(messages []byte) error {
	if !s.chunk.look(messages) {
		return errDamaged // a defect of this package
	}
	s.buf = s.chunk.appendChunk(s.buf[:0], messages)
	length := int64(len(s.buf))
	before := len(s.index)
	s.buf, s.index = s.chunk.appendIndexes(s.buf, s.index, s.ids, s.size, s.size, length, int64(len(messages)))
	if err := s.write(s.buf); err != nil {
		s.index = s.index[:before]
		return err
	}
	s.contents.add(&s.chunk)
	return nil
}

// close writes the ending and gives the file its final name.
func (s *segment) close() error {
	if err := s.write(s.appendEnding(s.buf[:0], s.size)); err != nil {
		s.file.Close()
		return err
	}
	return finish(s.dir, s.file, s.name, s.labels)
}

// finish closes a file that has its ending and renames it. A file with its final
// name is whole, whatever the configuration says of those at work.
func finish(dir Dir, file File, name string, labels bool) error {
	if err := file.Sync(); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	suffix := closedSuffix
	if labels {
		suffix = labelSuffix
	}
	if err := dir.Rename(name+openSuffix, name+suffix); err != nil {
		return err
	}
	return dir.Sync()
}

// IsOpen says whether a file is a segment that is still written, by its name; name is
// that without the suffix.
func IsOpen(file string) (name string, ok bool) { return strings.CutSuffix(file, openSuffix) }

// isClosed says whether a file is one that has its ending, and whether it has labels.
func isClosed(file string) (labels, ok bool) {
	return strings.HasSuffix(file, labelSuffix), strings.HasSuffix(file, closedSuffix)
}
