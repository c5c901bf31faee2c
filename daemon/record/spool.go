package record

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// spoolSegment is the size at which another segment is begun. What was delivered
	// of one before a crash is delivered again.
	spoolSegment = 256 << 10
	spoolPrefix  = "spill-"
	// chunkRoom is more than a chunk takes besides its messages.
	chunkRoom = 1 << 10
)

// ErrSpoolFull is wrapped when a bound of a Spool leaves no room now.
var ErrSpoolFull = errors.New("the spool is full")

// Spool keeps Results on disk until they are delivered, in their order: a row of
// segments that are only appended to, and removed as a whole. What Add took survives
// a power cut. A Spool opens its directory when it is first used, and anew after an
// error; what a crash left torn is cut then. One goroutine uses it, but for Bytes.
type Spool struct {
	c        SpoolConfig
	files    FileSystem
	log      *slog.Logger
	prologue *prologue

	dir     Dir // nil while it is not open
	closed  []string
	number  int // of the newest segment
	segment *segment
	seq     uint32
	batch   []byte
	begun   time.Time // of the day; zero: not yet
	spent   int64     // bytes written in it
	bytes   atomic.Int64
}

// SpoolConfig bounds a Spool: the bytes that it may take, and those that it may write
// in a day, of which what it finds at the start counts as written.
type SpoolConfig struct {
	Directory          string
	MaxBytes, DayBytes int64
}

// Spooled is one Result: its JSON form, and when it was made by the clock of then.
type Spooled struct {
	JSON []byte
	Time time.Time
}

// NewSpool returns a Spool and touches no file. version is that of the program.
func NewSpool(c SpoolConfig, version string, files FileSystem, log *slog.Logger) *Spool {
	return &Spool{c: c, files: files, log: log, prologue: newPrologue(&Run{Version: version}, "spill", "spill")}
}

// Bytes is what the segments take, as far as they have been looked at.
func (s *Spool) Bytes() int64 { return s.bytes.Load() }

// open opens the directory and closes what a crash left open.
func (s *Spool) open() error {
	if s.dir != nil {
		return nil
	}
	dir, err := s.files.OpenDir(s.c.Directory)
	if err != nil {
		return err
	}
	_, err = recoverDir(dir, func(name string, err error) {
		s.log.Warn("spill segment not readable to its end", "file", name, "error", err)
	})
	entries, listed := dir.List()
	if err = errors.Join(err, listed); err != nil {
		dir.Close()
		return err
	}
	s.closed = s.closed[:0]
	var size int64
	for _, e := range entries {
		if !strings.HasPrefix(e.Name, spoolPrefix) {
			continue
		}
		size += e.Size
		var number int
		if _, err := fmt.Sscanf(e.Name, spoolPrefix+"%d", &number); err == nil {
			s.number = max(s.number, number)
		}
		if _, whole := isClosed(e.Name); whole {
			s.closed = append(s.closed, e.Name)
		}
	}
	s.dir = dir
	s.bytes.Store(size)
	if s.begun.IsZero() {
		s.begun, s.spent = time.Now(), size
	}
	return nil
}

// fail gives everything up that an error leaves in doubt; another open looks at it
// again.
func (s *Spool) fail(err error) error {
	if err == nil {
		return nil
	}
	if s.segment != nil {
		s.segment.file.Close()
		s.segment = nil
	}
	if s.dir != nil {
		s.dir.Close()
		s.dir = nil
	}
	return fmt.Errorf("spill: %w", err)
}

// Add takes all of results in and makes them durable, or returns an error; then some
// may be kept all the same. It is to be called with no more than what fits one chunk,
// a few hundred kilobytes.
func (s *Spool) Add(results []Spooled) error {
	if err := s.open(); err != nil {
		return s.fail(err)
	}
	s.batch = s.batch[:0]
	for _, r := range results {
		s.seq++
		b, start := beginMessage(s.batch, resultChannel, s.seq, max(0, r.Time.UnixNano()))
		s.batch = end(append(b, r.JSON...), start)
	}
	if err := s.room(int64(len(s.batch) + chunkRoom + len(s.prologue.bytes))); err != nil {
		return err
	}
	return s.fail(s.add())
}

// room says whether so many bytes may be written.
func (s *Spool) room(n int64) error {
	if days := time.Since(s.begun) / day; days > 0 {
		s.begun, s.spent = s.begun.Add(days*day), 0
	}
	switch {
	case s.bytes.Load()+n > s.c.MaxBytes:
		return fmt.Errorf("%w: it may take %d bytes", ErrSpoolFull, s.c.MaxBytes)
	case s.spent+n > s.c.DayBytes:
		return fmt.Errorf("%w: %d bytes may be written in a day", ErrSpoolFull, s.c.DayBytes)
	}
	return nil
}

func (s *Spool) add() error {
	var before int64
	if s.segment == nil {
		s.number++
		segment, err := createSegment(s.dir, fmt.Sprintf("%s%08d", spoolPrefix, s.number), s.prologue, true)
		if err != nil {
			return err
		}
		s.segment = segment
	} else {
		before = s.segment.size
	}
	if err := s.segment.add(s.batch); err != nil {
		return err
	}
	if err := s.segment.file.Sync(); err != nil {
		return err
	}
	s.wrote(s.segment.size - before)
	if s.segment.size < spoolSegment {
		return nil
	}
	return s.closeSegment()
}

func (s *Spool) wrote(n int64) {
	s.bytes.Add(n)
	s.spent += n
}

func (s *Spool) closeSegment() error {
	segment, before := s.segment, s.segment.size
	s.segment = nil // close closes its file, whatever comes
	if err := segment.close(); err != nil {
		return err
	}
	size, err := s.sizeOf(segment.name + closedSuffix)
	s.wrote(size - before)
	s.closed = append(s.closed, segment.name+closedSuffix)
	return err
}

func (s *Spool) sizeOf(name string) (int64, error) {
	file, err := s.dir.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.Size()
}

// Oldest returns the Results of the oldest segment, none when there is none. They are
// there until Remove is called. One that cannot be read is put aside.
func (s *Spool) Oldest() ([]Spooled, error) {
	if err := s.open(); err != nil {
		return nil, s.fail(err)
	}
	for {
		if len(s.closed) == 0 {
			if s.segment == nil {
				return nil, nil
			}
			if err := s.closeSegment(); err != nil {
				return nil, s.fail(err)
			}
		}
		results, err := s.read(s.closed[0])
		switch {
		case errors.Is(err, ErrUnreadable) || errors.Is(err, errNothing):
			s.log.Warn("spill segment put aside", "file", s.closed[0], "error", err)
			if err := s.dir.Rename(s.closed[0], s.closed[0]+badSuffix); err != nil {
				return nil, s.fail(err)
			}
			s.closed = s.closed[1:]
		case err != nil:
			return nil, s.fail(err)
		case len(results) == 0:
			if err := s.Remove(); err != nil {
				return nil, err
			}
		default:
			return results, nil
		}
	}
}

func (s *Spool) read(name string) (results []Spooled, err error) {
	file, err := s.dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	scanned, err := scanSegment(file, size, func(_ *scan, messages []byte) error {
		for offset := 0; offset < len(messages); {
			_, content, next, ok := splitRecord(messages, offset)
			if !ok {
				return nil
			}
			const head = messageHead - recordHead
			if len(content) >= head && order.Uint16(content) == resultChannel {
				results = append(results, Spooled{
					JSON: bytes.Clone(content[head:]),
					Time: time.Unix(0, int64(order.Uint64(content[6:]))),
				})
			}
			offset = next
		}
		return nil
	})
	if err == nil && scanned.damaged > 0 {
		s.log.Warn("spill segment damaged", "file", name, "chunks", scanned.damaged)
	}
	return results, err
}

// Remove removes the segment whose Results Oldest returned.
func (s *Spool) Remove() error {
	if s.dir == nil || len(s.closed) == 0 {
		return nil
	}
	size, err := s.sizeOf(s.closed[0])
	if err == nil {
		err = s.dir.Remove(s.closed[0])
	}
	if err == nil {
		err = s.dir.Sync()
	}
	if err != nil {
		return s.fail(err)
	}
	s.closed = s.closed[1:]
	s.bytes.Add(-size)
	return nil
}

// Close closes the segment that is open, and the directory.
func (s *Spool) Close() error {
	if s.dir == nil {
		return nil
	}
	var err error
	if s.segment != nil {
		err = s.closeSegment()
	}
	dir := s.dir
	s.dir = nil
	return errors.Join(err, dir.Close())
}
