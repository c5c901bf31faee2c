package sensor

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Words of data_format, in Telegraf's sense.
const (
	// FormatJSON is an object in each line. Names of what is inside objects are
	// joined by dots; true is 1, false is 0, and text that is no number is skipped.
	FormatJSON = "json"
	// FormatCSV has the names in its first line.
	FormatCSV = "csv"
	// FormatInflux is InfluxDB's line protocol. A field is known by its own name
	// and as measurement.field; tags and times are skipped.
	FormatInflux = "influx"
)

// lineParser finds the numbers of a line. It may keep what earlier lines said.
type lineParser func(line []byte, found func(name string, v float64)) error

func newLineParser(format string) lineParser {
	switch format {
	case FormatCSV:
		return newCSVParser()
	case FormatInflux:
		return parseInflux
	}
	return parseJSON
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func parseJSON(line []byte, found func(string, float64)) error {
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(line, &object); err != nil {
		return fmt.Errorf("%.40q is not a JSON object: %w", line, err)
	}
	flatten("", object, found)
	return nil
}

// longestName bounds the names that are looked at: what is nested as deep as the parser
// allows would need a hundred megabytes for its names alone.
const longestName = 1 << 10

// flatten walks an object; its names begin with prefix.
func flatten(prefix string, object map[string]any, found func(string, float64)) {
	if len(prefix) > longestName {
		return
	}
	for name, value := range object {
		switch v := value.(type) {
		case map[string]any:
			flatten(prefix+name+".", v, found)
		case float64:
			found(prefix+name, v)
		case bool:
			found(prefix+name, truth(v))
		case string:
			if n, err := strconv.ParseFloat(v, 64); err == nil {
				found(prefix+name, n)
			}
		}
	}
}

func truth(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

// newCSVParser reads the header first. A cell that is empty or no number is
// skipped.
func newCSVParser() lineParser {
	var header []string
	return func(line []byte, found func(string, float64)) error {
		cells := csv.NewReader(bytes.NewReader(line))
		cells.TrimLeadingSpace = true
		record, err := cells.Read()
		if errors.Is(err, io.EOF) {
			return nil // an empty line
		}
		if err != nil {
			return fmt.Errorf("%.40q is not CSV: %w", line, err)
		}
		if header == nil {
			header = record
			return nil
		}
		if len(record) != len(header) {
			return fmt.Errorf("%d cells, but the first line has %d names", len(record), len(header))
		}
		for i, cell := range record {
			if v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64); err == nil {
				found(header[i], v)
			}
		}
		return nil
	}
}

var errInflux = errors.New(`not a line like: weather,place=roof temp=21.5,rain=3i`)

// parseInflux reads measurement[,tags] field=value[,field=value] [time].
func parseInflux(line []byte, found func(string, float64)) error {
	text := strings.TrimSpace(string(line))
	if text == "" || text[0] == '#' {
		return nil
	}
	key, rest, ok := cutUnescaped(text, ' ')
	if !ok {
		return fmt.Errorf("%.40q: %w", text, errInflux)
	}
	measurement, _, _ := cutUnescaped(key, ',')
	measurement = unescape(measurement)
	fields, _, _ := cutUnescaped(strings.TrimLeft(rest, " "), ' ')
	for more := true; more; {
		var field string
		field, fields, more = cutUnescaped(fields, ',')
		name, value, ok := cutUnescaped(field, '=')
		if !ok || name == "" || value == "" {
			return fmt.Errorf("%.40q: %w", text, errInflux)
		}
		if v, ok := influxValue(value); ok {
			found(unescape(name), v)
			found(measurement+"."+unescape(name), v)
		}
	}
	return nil
}

// influxValue reads a number, with i or u for a whole one, or a truth.
func influxValue(text string) (float64, bool) {
	switch text {
	case "t", "T", "true", "True", "TRUE":
		return 1, true
	case "f", "F", "false", "False", "FALSE":
		return 0, true
	}
	v, err := strconv.ParseFloat(strings.TrimRight(text, "iu"), 64)
	return v, err == nil
}

// cutUnescaped cuts text at the first sep that no backslash precedes and that is
// not between double quotes.
func cutUnescaped(text string, sep byte) (before, after string, found bool) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

var unescape = strings.NewReplacer(`\,`, ",", `\ `, " ", `\=`, "=", `\"`, `"`, `\\`, `\`).Replace
