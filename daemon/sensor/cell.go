package sensor

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// secondsFormat is the word for times that are numbers of seconds.
const secondsFormat = "seconds"

// mostSeconds is what 64 bits of nanoseconds can tell.
const mostSeconds = 9e9

// parseTime reads a time as Unix time in nanoseconds.
func parseTime(text, format string, zone *time.Location) (int64, error) {
	if format == secondsFormat {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(math.Abs(v) < mostSeconds) {
			return 0, fmt.Errorf("%.40q is no number of seconds", text)
		}
		return int64(math.Round(v * 1e9)), nil
	}
	t, err := time.ParseInLocation(format, text, zone)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a time like %q", text, format)
	}
	if t.Year() < 1678 || t.Year() > 2261 { // what 64 bits of nanoseconds can tell
		return 0, fmt.Errorf("the year %d is outside 1678 to 2261: the time needs a date", t.Year())
	}
	return t.UnixNano(), nil
}

// What values holds for an empty cell and for a cell of NaN or an infinity.
var (
	absent    = math.NaN()
	notFinite = math.Inf(1)
)

// parseCell reads a number, absent for an empty cell, notFinite for what is no
// finite number.
func parseCell(cell string) (float64, error) {
	cell = strings.TrimSpace(cell)
	if cell == "" {
		return absent, nil
	}
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a number", cell)
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return notFinite, nil
	}
	return v, nil
}

// skipBOM drops the mark that some programs put before UTF-8.
func skipBOM(r io.Reader) io.Reader {
	b := bufio.NewReader(r)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		b.Discard(3)
	}
	return b
}

// boundedReader gives at most about left bytes until left is set anew.
type boundedReader struct {
	r    io.Reader
	left int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("a line of more than %d bytes", maxRecord)
	}
	n, err := b.r.Read(p)
	b.left -= n
	return n, err
}
