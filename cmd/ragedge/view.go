package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ragedge/ragedge/result"
)

// view prints the decisions of the demo, a line each: time, answer, how sure,
// whether the recording agrees, and a bar of every modality's share. On a
// terminal the newest decision also stands below the last line, ever changing.
type view struct {
	w     io.Writer
	color bool
	// right says whether the answer is what the recording says.
	right func(*result.Result) bool

	lines   int
	answer  string
	reasons []string // why each modality was masked at the last line
	live    bool     // the cursor stands behind an unfinished line
}

// linesEvery prints a line at the latest after so many decisions.
const linesEvery = 40

const barCells = 5

// colors of the modalities, as SGR parameters; more modalities start again.
var colors = []string{"38;5;208", "38;5;220", "38;5;75", "38;5;114", "38;5;176"}

const (
	dim  = "2"
	bold = "1"
	red  = "31"
)

// show prints r if it says something new or nothing was printed for a while.
func (v *view) show(r *result.Result) {
	if v.reasons == nil {
		v.reasons = make([]string, len(r.Modalities))
		v.header(r)
	}
	news := v.changes(r)
	if news || r.Label != v.answer || v.lines%linesEvery == 0 {
		v.clear()
		fmt.Fprintln(v.w, v.line(r))
		v.answer, v.lines = r.Label, 0
	}
	v.lines++
	if v.color {
		v.clear()
		fmt.Fprint(v.w, v.paint(dim, v.line(r)))
		v.live = true
	}
}

// changes announces modalities that went away or came back since the last call.
func (v *view) changes(r *result.Result) (any bool) {
	var gone, back []string
	reason := ""
	for i := range r.Modalities {
		m := &r.Modalities[i]
		now := m.Reason
		if m.Present { // a doubt, and counts all the same
			now = ""
		}
		if before := v.reasons[i]; now != "" && before == "" {
			gone, reason = append(gone, m.Name), now
		} else if now == "" && before != "" {
			back = append(back, m.Name)
		}
		v.reasons[i] = now
	}
	if len(gone) > 0 {
		v.announce(r, v.paint(red, v.together(gone, r)+" gone: "+reason))
	}
	if len(back) > 0 {
		v.announce(r, v.paint(bold, v.together(back, r)+" back"))
	}
	return len(gone)+len(back) > 0
}

// together names modalities as the subject of a sentence.
func (v *view) together(names []string, r *result.Result) string {
	switch len(names) {
	case 1:
		return names[0] + " is"
	case len(r.Modalities):
		return "every sensor is"
	}
	return strings.Join(names, ", ") + " are"
}

func (v *view) announce(r *result.Result, text string) {
	v.clear()
	fmt.Fprintf(v.w, " %s  %s\n", clockOf(r), text)
}

func (v *view) header(r *result.Result) {
	var b strings.Builder
	fmt.Fprintf(&b, " %-5s  %-9s %5s   ", "time", "answer", "sure")
	for i := range r.Modalities {
		fmt.Fprintf(&b, "%-10s", r.Modalities[i].Name)
	}
	fmt.Fprintln(v.w, v.paint(bold, strings.TrimRight(b.String(), " ")))
}

func (v *view) line(r *result.Result) string {
	var b strings.Builder
	answer, sure, mark := r.Label, "", " "
	if r.Reason != "" {
		answer = "—"
	} else {
		sure = fmt.Sprintf("%d%%", int(100*top(r.Probabilities)+0.5))
		mark = v.paint(red, "✗")
		if v.right(r) {
			mark = "✓"
		}
	}
	fmt.Fprintf(&b, " %s  %-9s %5s %s ", clockOf(r), answer, sure, mark)
	for i := range r.Modalities {
		b.WriteString(v.share(i, &r.Modalities[i]))
	}
	return strings.TrimRight(b.String(), " ")
}

// share draws one modality's share as a bar and a percentage, with a mark behind it
// when the answer would be another one without the modality.
func (v *view) share(i int, m *result.Modality) string {
	if !m.Present {
		return v.paint(red, fmt.Sprintf("%-*s     ", barCells, "·····"))
	}
	cells := float64(m.Share) * barCells
	mark := " "
	if m.Conflict {
		mark = v.paint(red, "!")
	}
	return v.paint(colors[i%len(colors)], v.bar(cells)) + fmt.Sprintf("%3d%%", int(100*m.Share+0.5)) + mark
}

// bar draws so many of barCells cells, in eighths on a terminal.
func (v *view) bar(cells float64) string {
	if !v.color {
		n := min(barCells, int(cells+0.5))
		return strings.Repeat("#", n) + strings.Repeat(".", barCells-n)
	}
	eighths := min(8*barCells, int(8*cells+0.5))
	s := strings.Repeat("█", eighths/8)
	n := eighths / 8
	if eighths%8 > 0 {
		s += string(rune('█' + 8 - eighths%8))
		n++
	}
	return s + strings.Repeat(" ", barCells-n)
}

// clear removes the unfinished line.
func (v *view) clear() {
	if v.live {
		fmt.Fprint(v.w, "\r\x1b[K")
		v.live = false
	}
}

func (v *view) paint(sgr, s string) string {
	if !v.color {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

func clockOf(r *result.Result) string { return r.Time.Format("15:04") }

// top returns the largest probability.
func top(p []float32) (best float32) {
	for _, v := range p {
		best = max(best, v)
	}
	return best
}
