package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ragedge/ragedge/daemon/api"
)

// panel draws a report as lines.
type panel struct {
	view      // for its colours and bars
	width int // of the terminal, 0 for any
}

func newPanel(w io.Writer) *panel {
	columns, _ := windowSize(w)
	return &panel{view: view{w: w, color: terminal(w)}, width: columns}
}

// colors of states; others are as text is.
var stateColors = map[string]string{
	api.StateUp: "32", api.StateDegraded: "33", api.StateDown: red, api.StateWedged: red,
}

// lines draws r, each line at most as wide as the terminal.
func (p *panel) lines(r *condition) []string {
	all := p.head(r)
	if r.silent == nil {
		all = append(all, "")
		all = append(all, p.answer(r)...)
		all = append(all, p.sensors(r.Sensors)...)
		all = append(all, p.sinks(r.Sinks)...)
		all = append(all, p.rest(r)...)
	}
	for i := range all {
		all[i] = fit(all[i], p.width)
	}
	return all
}

// head says how it is, in a word and a sentence, and what runs.
func (p *panel) head(r *condition) []string {
	word := p.paint(stateColors[r.State]+";"+bold, r.State)
	if stateColors[r.State] == "" {
		word = p.paint(bold, r.State)
	}
	if r.silent != nil {
		return append([]string{word}, p.reason(r.Reason)...)
	}
	all := []string{fmt.Sprintf("%s  ragedge %s, up %s", word, clean(r.Version), span(r.UptimeS))}
	all = append(all, p.reason(r.Reason)...)
	for _, also := range r.degraded {
		if also != r.Reason {
			all = append(all, p.reason(also)...)
		}
	}
	what := "no model: collecting"
	if r.Model != nil {
		digest := strings.TrimPrefix(r.Model.Digest, "sha256:")
		what = strings.TrimSpace("model " + clean(r.Model.Name) + " " + digest[:min(12, len(digest))])
	}
	all = append(all, fmt.Sprintf("%s, kernels %s, time %s", what, r.KernelSet, r.TimeQuality))
	counts := fmt.Sprintf("%d decisions, %d answered, %d missed", r.Decisions, r.Answered, r.Missed)
	if r.Skipped > 0 {
		counts += fmt.Sprintf(", %d skipped", r.Skipped)
	}
	return append(all, counts)
}

// reason is why something is not as it should be, in lines of its own.
func (p *panel) reason(text string) []string { return wrap(clean(text), p.width, "  ") }

// answer says what was decided, and the part of every modality in it.
func (p *panel) answer(r *condition) []string {
	if r.Result == nil {
		return []string{"answer  none yet"}
	}
	label, sure := r.Result.text()
	line := "answer  " + p.paint(bold, clean(label))
	if sure >= 0 {
		line += fmt.Sprintf("  %d%%", percent(sure))
	}
	if r.Result.RawLabel != "" {
		line += ", maybe soon " + clean(r.Result.RawLabel)
	}
	if r.LastResultAgeS != nil && r.Model != nil {
		line += fmt.Sprintf(", %s ago", span(*r.LastResultAgeS))
	}
	all := []string{line}
	if len(r.Result.Conflict) > 0 {
		all = append(all, p.reason("in conflict with the others: "+strings.Join(r.Result.Conflict, ", "))...)
	}
	widest := 0
	for _, m := range r.Result.Modalities {
		widest = max(widest, utf8.RuneCountInString(clean(m.name)))
	}
	widest = min(widest, 20)
	for i, m := range r.Result.Modalities {
		all = append(all, p.modality(i, m.name, widest, &m.is))
	}
	for _, v := range r.Result.Readings {
		text := clean(v.is.Reason)
		if v.is.Value != nil {
			text = strconv.FormatFloat(*v.is.Value, 'g', 6, 64)
		}
		all = append(all, fmt.Sprintf("  %s  %s", clean(v.name), text))
	}
	return all
}

func (p *panel) modality(i int, name string, wide int, m *modality) string {
	name = fit(clean(name), wide)
	name += strings.Repeat(" ", wide-utf8.RuneCountInString(name))
	if !m.Present {
		return fmt.Sprintf("  %s  %s  absent: %s", name, p.paint(red, strings.Repeat("·", barCells)), clean(m.Reason))
	}
	line := fmt.Sprintf("  %s  %s %3d%%", name, p.paint(colors[i%len(colors)], p.bar(m.Share*barCells)), percent(m.Share))
	if m.Age != nil {
		line += ", " + span(*m.Age) + " old"
	}
	if m.Reason != "" {
		line += ", " + clean(m.Reason)
	}
	return line
}

func percent(share float64) int { return int(100*share + 0.5) }

func (p *panel) sensors(sensors []api.SensorStatus) []string {
	if len(sensors) == 0 {
		return []string{"", "no sensors: others push"}
	}
	rows := [][]string{{"SENSOR", "TYPE", "STATE", "AGE", "READS", "ERRORS"}}
	for _, s := range sensors {
		rows = append(rows, []string{clean(s.Alias), s.Type, s.State, ageText(s.LastSuccessAgeS),
			strconv.FormatInt(s.Reads, 10), strconv.FormatInt(s.Errors, 10)})
	}
	return p.table(rows, 2, func(i int) (state, reason string) {
		s := &sensors[i]
		return s.State, strings.TrimPrefix(s.Reason, "sensor "+s.Alias+": ")
	})
}

func (p *panel) sinks(sinks []api.SinkStatus) []string {
	if len(sinks) == 0 {
		return nil
	}
	rows := [][]string{{"SINK", "STATE", "WAITING", "WRITTEN", "DROPPED", "ERRORS"}}
	state := func(s *api.SinkStatus) string {
		switch {
		case s.LastError != "":
			return "failing"
		case s.Connected == nil:
			return api.StateUp
		case *s.Connected:
			return "connected"
		}
		return "no broker"
	}
	for _, s := range sinks {
		rows = append(rows, []string{s.Type, state(&s), strconv.Itoa(s.Waiting), strconv.FormatInt(s.Written, 10),
			strconv.FormatInt(s.Dropped, 10), strconv.FormatInt(s.Errors, 10)})
	}
	return p.table(rows, 1, func(i int) (string, string) {
		if s := state(&sinks[i]); s != api.StateUp && s != "connected" {
			return s, sinks[i].LastError
		}
		return "", ""
	})
}

// table draws rows whose column number state is a state, each with the reason
// below it.
func (p *panel) table(rows [][]string, state int, of func(i int) (state, reason string)) []string {
	lines := grid(rows, state+1, p.width)
	all := []string{"", p.paint(dim, lines[0])}
	for i, line := range lines[1:] {
		word, reason := of(i)
		if sgr := stateColors[word]; word != "" && word != api.StateUp {
			if sgr == "" {
				sgr = "33"
			}
			line = strings.Replace(line, "  "+word+" ", "  "+p.paint(sgr, word)+" ", 1)
		}
		all = append(all, line)
		all = append(all, p.reason(reason)...)
	}
	return all
}

// rest is the recording, the configuration, memory and power.
func (p *panel) rest(r *condition) (all []string) {
	all = append(all, "")
	add := func(format string, args ...any) {
		all = append(all, wrap(clean(fmt.Sprintf(format, args...)), p.width, "")...)
	}
	if s := r.Record; s != nil {
		word := "recording off"
		if s.Active {
			word = "recording"
		}
		add("%s: %d records, %s in %d files, %d dropped", word, s.Records, size(s.Bytes), s.Segments, s.Dropped)
		if s.LastError != "" {
			all = append(all, p.reason(s.LastError)...)
		}
		if s.OverBudget {
			all = append(all, "  the day's write budget is used up")
		}
	}
	add("configuration in force for %s, %d reloads, %d failed", span(r.Config.AgeS), r.Config.Reloads, r.Config.Failed)
	if r.Config.LastError != "" {
		all = append(all, p.reason("the last reload failed, the old one stays: "+r.Config.LastError)...)
	}
	add("memory %s", size(r.RSSBytes))
	if w := r.Power; w != nil {
		add("power %s", powerText(w))
	}
	if len(r.Late) > 0 {
		add("late: %s", strings.Join(r.Late, ", "))
	}
	return all
}

func powerText(w *api.PowerStatus) string {
	parts := []string{"well"}
	if len(w.Degraded) > 0 {
		parts = []string{strings.Join(w.Degraded, ", ") + " now"}
	}
	if len(w.SinceBoot) > 0 {
		parts = append(parts, "since boot: "+strings.Join(w.SinceBoot, ", "))
	}
	if w.SteppedDown {
		parts = append(parts, "every second decision is skipped")
	}
	if w.TemperatureC != 0 {
		parts = append(parts, fmt.Sprintf("%.0f °C", w.TemperatureC))
	}
	return strings.Join(parts, "; ")
}
