package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// columns and rows of a terminal, 0 where w is none that can be drawn on.
func windowSize(w io.Writer) (columns, rows int) {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return 0, 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(size.Col), int(size.Row)
}

func printLines(w io.Writer, lines []string) error {
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// clean takes out what would move a terminal's cursor: texts come from programs
// and networks.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return ' '
		case unicode.IsControl(r), r == utf8.RuneError:
			return '?'
		}
		return r
	}, text)
}

// fit cuts a line to so many characters, colours not counted; 0 leaves it as it is.
func fit(line string, width int) string {
	if width <= 0 {
		return line
	}
	seen, colored, last := 0, false, 0
	for i := 0; i < len(line); {
		if line[i] == '\x1b' {
			end := strings.IndexByte(line[i:], 'm')
			if end < 0 {
				return line[:i]
			}
			colored, i = true, i+end+1
			continue
		}
		if seen == width-1 {
			last = i
		}
		if seen++; seen > width {
			line = line[:last] + "…"
			if colored {
				line += "\x1b[0m"
			}
			return line
		}
		_, size := utf8.DecodeRuneInString(line[i:])
		i += size
	}
	return line
}

// wrap breaks a text between words into lines of at most width characters, each
// behind indent; 0 is one line.
func wrap(text string, width int, indent string) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case width > 0 && utf8.RuneCountInString(indent+line)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, fit(indent+line, width))
			line = word
		default:
			line += " " + word
		}
	}
	if line != "" {
		lines = append(lines, fit(indent+line, width))
	}
	return lines
}

// grid lines up rows of cells under the first row; numbers stand to the right from
// column right on. Where all is wider than width, the first column gives way.
func grid(rows [][]string, right, width int) []string {
	wide := make([]int, len(rows[0]))
	total := 2 * (len(wide) - 1)
	for i := range wide {
		for _, row := range rows {
			wide[i] = max(wide[i], utf8.RuneCountInString(row[i]))
		}
		total += wide[i]
	}
	if width > 0 && total > width {
		wide[0] = max(6, wide[0]-(total-width))
	}
	var lines []string
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			cell = fit(cell, wide[i])
			space := strings.Repeat(" ", wide[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				b.WriteString("  ")
			}
			if i >= right {
				b.WriteString(space + cell)
			} else {
				b.WriteString(cell + space)
			}
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// span writes a time of so many seconds in its two largest units.
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(max(0, d.Seconds()), 'f', 1, 64) + "s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

func ageText(seconds *float64) string {
	if seconds == nil {
		return "never"
	}
	return span(*seconds)
}

// size writes bytes in MiB, or KiB below one.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}

func numbers(values []float64) string {
	var all []string
	for _, v := range values {
		all = append(all, strconv.FormatFloat(v, 'g', 4, 64))
	}
	return strings.Join(all, " ")
}
