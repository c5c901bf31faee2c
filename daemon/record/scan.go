package record

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

var (
	// ErrUnreadable is a file that is no recording, or whose beginning is lost.
	ErrUnreadable = errors.New("not a readable recording")
	// ErrEmpty is a file with nothing to play, such as one of a run that was only
	// labelled. It is ErrUnreadable too.
	ErrEmpty   = errors.New("it holds no readings, pushes or Results")
	errDamaged = errors.New("a chunk is damaged")
	errNothing = errors.New("the file ends before its first chunk")
)

// maxRecordSize bounds what one record of a file may take in memory.
const maxRecordSize = 8 << 20

// scanner reads the records of a file one after the other.
type scanner struct {
	r        io.ReaderAt
	size, at int64
	buf      []byte
	length   int64 // of the content of the record that peek saw
}

// next returns the next record and where it begins. Its content is valid until
// the call after. ok is false where no whole record follows; err is a failure to
// read.
func (s *scanner) next() (op byte, content []byte, start int64, ok bool, err error) {
	var head [recordHead]byte
	if s.size-s.at < recordHead {
		return 0, nil, 0, false, nil
	}
	if _, err := s.r.ReadAt(head[:], s.at); err != nil {
		return 0, nil, 0, false, err
	}
	n := order.Uint64(head[1:])
	if n > maxRecordSize || int64(n) > s.size-s.at-recordHead {
		return 0, nil, 0, false, nil
	}
	if uint64(cap(s.buf)) < n {
		s.buf = make([]byte, n+n/2)
	}
	content = s.buf[:n]
	if n > 0 {
		if _, err := s.r.ReadAt(content, s.at+recordHead); err != nil {
			return 0, nil, 0, false, err
		}
	}
	start = s.at
	s.at += recordHead + int64(n)
	return head[0], content, start, true, nil
}

// scan is what a segment turned out to hold.
type scan struct {
	contents
	about   map[string]string // the metadata of the run
	sensors []Sensor
	topics  map[uint16]string
	good    int64 // where the last whole chunk and its message indexes end
	repairs []repair
	damaged int // chunks with a wrong CRC
}

// scanSegment reads a segment up to its end or to where it is torn, and hands
// the data of every whole chunk to each. Damaged chunks are passed over and
// counted. Without each it finds out what a segment of this package lacks. The error wraps ErrUnreadable when the file is no
// segment, and is errNothing when it has no whole chunk.
func scanSegment(r io.ReaderAt, size int64, each func(s *scan, messages []byte) error) (*scan, error) {
	in := scanner{r: r, size: size, at: int64(len(mcapMagic))}
	if ok, err := startsRight(r, size); err != nil || !ok {
		return nil, errors.Join(ErrUnreadable, err)
	}
	s := &scan{about: map[string]string{}, topics: map[uint16]string{}}
	for {
		op, content, start, ok, err := in.next()
		if err != nil {
			return s, err
		}
		if !ok || op == opDataEnd {
			break
		}
		switch op {
		case opHeader:
		case opMetadata:
			s.readMetadata(content, start)
		case opSchema:
			s.schemas = appendRecord(s.schemas, op, content)
			s.schemaCount++
		case opChannel:
			if err := s.addChannelRecord(content); err != nil {
				return s, err
			}
		case opChunk:
			if err := s.addChunk(&in, content, start, each); err != nil {
				return s, err
			}
		case 0:
			return s, s.ending() // zeros, as a file system leaves them after a power cut
		}
	}
	return s, s.ending()
}

func (s *scan) ending() error {
	if s.chunks == 0 {
		return errNothing
	}
	return nil
}

// startsRight says whether a file begins as a segment does, as far as it goes.
func startsRight(r io.ReaderAt, size int64) (bool, error) {
	head := make([]byte, min(size, int64(len(mcapMagic))))
	if len(head) > 0 {
		if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
			return false, err
		}
	}
	return string(head) == mcapMagic[:len(head)], nil
}

func appendRecord(b []byte, op byte, content []byte) []byte {
	b, start := begin(b, op)
	return end(append(b, content...), start)
}

// repair is what a file should have at a place and does not.
type repair struct {
	at   int64
	want []byte
}

// addChunk takes a chunk in if it is whole, and goes past its message indexes.
func (s *scan) addChunk(in *scanner, content []byte, start int64, each func(*scan, []byte) error) error {
	data, crc, compression, ok := chunkData(content)
	if ok && compression != "" {
		return fmt.Errorf("%w: a chunk is compressed with %q; convert it: mcap compress --compression none", ErrUnreadable, compression)
	}
	var c chunk
	if !ok || crc != 0 && crc32.ChecksumIEEE(data) != crc || !c.look(data) {
		s.damaged++
		return nil
	}
	s.contents.add(&c)
	if each != nil {
		return each(s, data)
	}
	after := in.at
	var want []byte
	want, s.index = c.appendIndexes(nil, s.index, s.ids, after, start, after-start, int64(len(data)))
	s.good = after + int64(len(want))
	have := make([]byte, len(want))
	if _, err := in.r.ReadAt(have, after); err != nil && err != io.EOF {
		return err
	}
	if !bytes.Equal(have, want) {
		s.repairs = append(s.repairs, repair{after, want})
	}
	in.at = s.good
	return nil
}

// chunkData takes the content of a chunk record apart.
func chunkData(content []byte) (data []byte, crc uint32, compression string, ok bool) {
	if len(content) < 8+8+8+4+4 {
		return nil, 0, "", false
	}
	crc = order.Uint32(content[24:])
	name, rest, ok := cutText(content[28:])
	if !ok || len(rest) < 8 || order.Uint64(rest) != uint64(len(rest)-8) {
		return nil, 0, "", false
	}
	return rest[8:], crc, name, true
}

// cutText returns the text that b begins with, and what is behind it.
func cutText(b []byte) (text string, rest []byte, ok bool) {
	if len(b) < 4 || uint64(order.Uint32(b)) > uint64(len(b)-4) {
		return "", nil, false
	}
	n := 4 + int(order.Uint32(b))
	return string(b[4:n]), b[n:], true
}

// readPairs reads a map of texts; a torn one is read as far as it goes.
func readPairs(b []byte) map[string]string {
	all := map[string]string{}
	_, _, ok := cutText(b)
	if !ok {
		return all
	}
	b = b[4:]
	for {
		key, rest, ok := cutText(b)
		if !ok {
			return all
		}
		value, rest, ok := cutText(rest)
		if !ok {
			return all
		}
		all[key], b = value, rest
	}
}

func (s *scan) readMetadata(content []byte, start int64) {
	if name, rest, ok := cutText(content); ok && name == metadataName {
		s.metadata = appendMetadataIndex(nil, name, start, int64(recordHead+len(content)))
		s.about = readPairs(rest)
	}
}

func (s *scan) addChannelRecord(content []byte) error {
	if len(content) < 4 {
		return nil
	}
	id := order.Uint16(content)
	topic, rest, ok := cutText(content[4:])
	if !ok {
		return nil
	}
	_, rest, ok = cutText(rest)
	if !ok {
		return nil
	}
	s.channels = appendRecord(s.channels, opChannel, content)
	s.addChannel(id)
	s.topics[id] = topic
	if id < sensorChannel {
		return nil
	}
	sensor, err := parseSensor(readPairs(rest))
	if err != nil {
		return fmt.Errorf("%w: channel %s: %w", ErrUnreadable, topic, err)
	}
	if int(id) != sensorChannel+len(s.sensors) {
		return fmt.Errorf("%w: channel %s has number %d out of order", ErrUnreadable, topic, id)
	}
	s.sensors = append(s.sensors, sensor)
	return nil
}
