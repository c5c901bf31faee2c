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
)

// Bounds of a recording. A whole one is held in memory.
const (
	maxRecord = 64 << 10 // bytes of a line
	maxValues = 4 << 20  // 32 MiB
)

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
	times    []int64   // Unix time in nanoseconds, never falling
	values   []float64 // [rows, channels]; absent and notFinite mark cells without a value
	labels   []uint32  // [rows], indices of names; nil without a label column
	names    []string  // the different labels
	bad      []error   // per channel, what to report for its notFinite cells
	groups   []stretch // nil without a group column
	splits   []int8    // [rows], as in Mark; nil without a split column
	targets  []float32 // [rows], NaN where there is none; nil without a target column
}

// stretch is a part of a recording whose rows follow each other and are of one
// group. It ends before row end.
type stretch struct {
	group string
	end   int
}

// part is the rows from one to before another, on their own.
func (r *recording) part(from, to int) *recording {
	out := *r
	out.groups = nil
	out.times, out.values = r.times[from:to], r.values[from*len(r.channels):to*len(r.channels)]
	if r.labels != nil {
		out.labels = r.labels[from:to]
	}
	if r.splits != nil {
		out.splits = r.splits[from:to]
	}
	if r.targets != nil {
		out.targets = r.targets[from:to]
	}
	return &out
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
	begun   int               // the first row of the group
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
	for {
		cells, err := l.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := l.row(cells); err != nil {
			return nil, err
		}
	}
	if len(l.out.times) == 0 && len(c.Where) > 0 {
		return nil, l.fail("", errors.New("no row is as where says"))
	}
	if len(l.out.times) == 0 {
		return nil, l.fail("", errors.New("no rows after the header"))
	}
	out := l.out // on its own, so that the loader's buffers go
	return &out, nil
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

func (l *loader) row(cells []string) error {
	if !l.columns.wants(cells) {
		return nil
	}
	l.group(cells)
	at, err := l.time(cells)
	if err != nil {
		return l.fail(strings.Join(l.config.Time, " "), err)
	}
	l.out.times = append(l.out.times, at)
	if err := l.mark(cells); err != nil {
		return err
	}
	if l.config.Label != "" {
		l.out.labels = append(l.out.labels, l.label(strings.TrimSpace(cells[l.columns.label])))
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
		l.out.values = append(l.out.values, v)
	}
	if len(l.out.values) > maxValues {
		return l.fail("", fmt.Errorf("more than %d values: split the file or select fewer columns with channels", maxValues))
	}
	return nil
}

// time reads a row's time. Two rows may have the same.
func (l *loader) time(cells []string) (int64, error) {
	text := strings.TrimSpace(cells[l.columns.time[0]])
	for _, column := range l.columns.time[1:] {
		text += " " + strings.TrimSpace(cells[column])
	}
	at, err := parseTime(text, l.config.Format, l.zone)
	if err != nil {
		return 0, err
	}
	if n := len(l.out.times); n > l.begun && at < l.out.times[n-1] {
		return 0, fmt.Errorf("time goes backwards: %q is before the row above", text)
	}
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
