package sensor

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ragedge/ragedge/daemon/spool"
)

// maxRecord bounds the bytes of a line.
const maxRecord = 64 << 10

// RecordingError says what is wrong with a recording and where.
type RecordingError struct {
	File   string
	Line   int    // 0 when the file as a whole is meant
	Column string // by its name in the header; may be empty
	Err    error
}

// Error is "file:line: column NAME: what is wrong".
func (e *RecordingError) Error() string {
	text := e.File
	if e.Line > 0 {
		text += ":" + strconv.Itoa(e.Line)
	}
	if e.Column != "" {
		text += ": column " + e.Column
	}
	return text + ": " + e.Err.Error()
}

func (e *RecordingError) Unwrap() error { return e.Err }

// recording is the part of a CSV file that one sensor plays.
type recording struct {
	channels []string
	rows     *spool.Spool // of one column, the rows
	parts    []stretch    // of which one group each; without a group column all is one
	names    []string     // the different labels; nil without a label column
	bad      []error      // per channel, what to report for its notFinite cells
	grouped  bool
	marks    Marks
}

// stretch is a part of a recording whose rows follow each other and are of one
// group. Time does not go backwards in it.
type stretch struct {
	group       string
	begin, end  int   // of its rows: from, and before
	first, last int64 // Unix time of the rows in nanoseconds
}

// Opener opens the file of a recording.
type Opener func(name string) (io.ReadCloser, error)

// OpenFile opens a regular file.
func OpenFile(name string) (io.ReadCloser, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	return os.Open(name)
}

// loader reads a recording.
type loader struct {
	config  Config // with defaults
	zone    *time.Location
	bounded *boundedReader
	csv     *csv.Reader
	columns columns
	line    int               // of the newest record
	known   map[string]uint32 // labels
	row     row
	out     recording
}

// loadRecording reads and checks the whole file of c, which has its defaults.
func loadRecording(c Config, zone *time.Location, open Opener) (*recording, error) {
	file, err := open(c.File)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text := io.Reader(file)
	if strings.HasSuffix(c.File, ".gz") {
		if text, err = gzip.NewReader(file); err != nil {
			return nil, &RecordingError{File: c.File, Err: err}
		}
	}
	l := &loader{config: c, zone: zone, known: map[string]uint32{}}
	l.bounded = &boundedReader{r: skipBOM(text)}
	l.csv = csv.NewReader(l.bounded)
	l.csv.ReuseRecord = true
	if err := l.header(); err != nil {
		return nil, err
	}
	if err := l.all(); err != nil {
		return nil, errors.Join(err, l.out.rows.Close())
	}
	out := l.out // on its own, so that the loader's buffers go
	return &out, nil
}

// all reads the rows.
func (l *loader) all() error {
	for {
		cells, err := l.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := l.take(cells); err != nil {
			return err
		}
	}
	if l.out.rows.Rows() > 0 {
		return nil
	}
	if len(l.config.Where) > 0 {
		return l.fail("", errors.New("no row is as where says"))
	}
	return l.fail("", errors.New("no rows after the header"))
}

func (l *loader) fail(column string, err error) error {
	return &RecordingError{File: l.config.File, Line: l.line, Column: column, Err: err}
}

func (l *loader) header() error {
	cells, err := l.next()
	if err == io.EOF {
		return l.fail("", errors.New("empty: the first line must name the columns"))
	}
	if err != nil {
		return err
	}
	names := make([]string, len(cells))
	for i, cell := range cells {
		names[i] = strings.Clone(strings.TrimSpace(cell))
	}
	column, err := l.columns.find(names, &l.config)
	if err != nil {
		return l.fail(column, err)
	}
	l.out.channels = l.columns.channels
	l.out.bad = make([]error, len(l.out.channels))
	l.out.grouped = l.config.Group != ""
	l.out.marks = Marks{Split: l.config.Split != "", Target: l.config.Target != ""}
	l.row.values = make([]float64, len(l.out.channels))
	l.out.rows = spool.New("", l.out.width())
	return nil
}

// next returns the cells of the next line. They are valid until the one after.
func (l *loader) next() ([]string, error) {
	l.bounded.left = maxRecord
	cells, err := l.csv.Read()
	if err == nil {
		l.line, _ = l.csv.FieldPos(0)
		return cells, nil
	}
	if err == io.EOF {
		return nil, err
	}
	l.line++
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		l.line = e.Line
		if err = e.Err; err == csv.ErrFieldCount {
			err = fmt.Errorf("%d cells, the header has %d", len(cells), l.csv.FieldsPerRecord)
		}
	}
	return nil, l.fail("", err)
}

// width is how many bytes a row takes.
func (r *recording) width() int { return rowHead + 8*len(r.channels) }

// take takes a row in if it counts.
func (l *loader) take(cells []string) error {
	if !l.columns.wants(cells) {
		return nil
	}
	part := l.group(cells)
	at, err := l.time(cells, part)
	if err != nil {
		return l.fail(strings.Join(l.config.Time, " "), err)
	}
	l.row.at = at
	if err := l.mark(cells); err != nil {
		return err
	}
	if l.config.Label != "" {
		l.row.label = l.label(strings.TrimSpace(cells[l.columns.label]))
	}
	for i, column := range l.columns.values {
		v, err := parseCell(cells[column])
		if err != nil {
			return l.fail(l.columns.names[column], err)
		}
		if v == notFinite && l.out.bad[i] == nil {
			text := strings.Clone(strings.TrimSpace(cells[column]))
			l.out.bad[i] = l.fail(l.columns.names[column], fmt.Errorf("%w: %s", ErrNonFinite, text))
		}
		l.row.values[i] = v
	}
	l.row.encode(l.out.rows.Row(0))
	return l.out.rows.Next()
}

// time reads the time of a row of a part. Two rows may have the same.
func (l *loader) time(cells []string, part *stretch) (int64, error) {
	text := strings.TrimSpace(cells[l.columns.time[0]])
	for _, column := range l.columns.time[1:] {
		text += " " + strings.TrimSpace(cells[column])
	}
	at, err := parseTime(text, l.config.Format, l.zone)
	if err != nil {
		return 0, err
	}
	if part.end == part.begin {
		part.first = at
	} else if at < part.last {
		return 0, fmt.Errorf("time goes backwards: %q is before the row above", text)
	}
	part.last = at
	part.end++
	return at, nil
}

// label returns the index of a label among the different ones.
func (l *loader) label(text string) uint32 {
	i, known := l.known[text]
	if !known {
		i = uint32(len(l.out.names))
		text = strings.Clone(text)
		l.known[text] = i
		l.out.names = append(l.out.names, text)
	}
	return i
}
