package bench

import (
	"strings"
	"unicode/utf8"
)

// table is columns of text; the first is left-aligned, the others right.
type table struct {
	head []string
	rows [][]string
}

// text writes the table aligned.
func (t table) text(w *strings.Builder) {
	widths := make([]int, len(t.head))
	all := append([][]string{t.head}, t.rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		w.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	w.WriteString("\n")
}

// markdown writes the table in Markdown.
func (t table) markdown(w *strings.Builder) {
	line := func(row []string) { w.WriteString("| " + strings.Join(row, " | ") + " |\n") }
	line(t.head)
	w.WriteString("|---" + strings.Repeat("|---:", len(t.head)-1) + "|\n")
	for _, row := range t.rows {
		line(row)
	}
	w.WriteString("\n")
}

// withoutEmpty leaves out columns in which there is nothing.
func (t table) withoutEmpty() table {
	var kept []int
	for i := range t.head {
		for _, row := range t.rows {
			if row[i] != "–" {
				kept = append(kept, i)
				break
			}
		}
	}
	choose := func(row []string) (some []string) {
		for _, i := range kept {
			some = append(some, row[i])
		}
		return some
	}
	u := table{head: choose(t.head)}
	for _, row := range t.rows {
		u.rows = append(u.rows, choose(row))
	}
	return u
}
