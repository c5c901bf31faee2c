package bench

import (
	"fmt"
	"io"
	"strings"
)

// Text writes the report for a terminal: tables of at most 100 columns, unless
// names are long.
func (r *Report) Text(w io.Writer) error {
	return r.write(w, table.text, func(b *strings.Builder, lines []string) {
		b.WriteString(strings.Join(lines, "\n") + "\n\n")
	})
}

// Markdown writes the report as Markdown.
func (r *Report) Markdown(w io.Writer) error {
	return r.write(w, table.markdown, func(b *strings.Builder, lines []string) {
		b.WriteString("- " + strings.Join(lines, "\n- ") + "\n\n")
	})
}

func (r *Report) write(w io.Writer, render func(table, *strings.Builder), list func(*strings.Builder, []string)) error {
	var b strings.Builder
	list(&b, append(r.lines(), stateLines(r.Before, r.After)...))
	render(r.limits(), &b)
	for _, part := range []struct {
		name    string
		figures []Figure
	}{{"kernel", r.Kernels}, {"model", r.Models}} {
		if len(part.figures) > 0 {
			render(figureTable(part.name, part.figures), &b)
		}
	}
	if notes := r.notes(); len(notes) > 0 {
		list(&b, notes)
	}
	b.WriteString(r.Headline() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// lines say what was measured.
func (r *Report) lines() []string {
	m := &r.Machine
	var parts []string
	for _, s := range []string{m.Board, m.CPU} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	parts = append(parts, plural(m.CPUs, "CPU"), m.Platform, m.Go)
	return []string{
		strings.Join(parts, " · "),
		fmt.Sprintf("%s kernels · %s", r.KernelSet, plural(r.Threads, "thread")),
	}
}

// stateLines compare the machine before and after the run.
func stateLines(before, after State) []string {
	var parts []string
	if len(after.Governors) > 0 {
		parts = append(parts, "governor "+strings.Join(before.Governors, ", "))
		if strings.Join(before.Governors, ",") != strings.Join(after.Governors, ",") {
			parts[0] += " before, " + strings.Join(after.Governors, ", ") + " after"
		}
	}
	if len(before.MHz) > 0 && len(after.MHz) > 0 {
		s := fmt.Sprintf("%s MHz before, %s after", span(before.MHz), span(after.MHz))
		if after.MaxMHz > 0 {
			s += fmt.Sprintf(", %d allowed", after.MaxMHz)
		}
		parts = append(parts, s)
	}
	if after.Celsius > 0 {
		parts = append(parts, fmt.Sprintf("%.0f °C before, %.0f after", before.Celsius, after.Celsius))
	}
	var lines []string
	if len(parts) > 0 {
		lines = append(lines, strings.Join(parts, " · "))
	}
	switch {
	case len(throttling(before, after)) > 0:
		return lines // the headline says it
	case len(after.Sources) == 0:
		return append(lines, "the kernel does not say whether the CPU throttled")
	}
	return append(lines, "not throttled, by "+strings.Join(after.Sources, ", "))
}

// span writes one number when all are the same, else the least and the largest.
func span(numbers []int) string {
	least, most := numbers[0], numbers[0]
	for _, n := range numbers {
		least, most = min(least, n), max(most, n)
	}
	if least == most {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d–%d", least, most)
}

// limits is the table of what the machine can do.
func (r *Report) limits() table {
	t := table{head: []string{"machine", "size", "GFLOP/s", "GB/s"}}
	for _, p := range r.Peaks {
		t.rows = append(t.rows, []string{"multiply-adds, " + p.KernelSet, "", significant(p.GFLOPS), ""})
	}
	for _, l := range r.Loads {
		t.rows = append(t.rows, []string{"loads from " + l.Level, size(l.Bytes), "", significant(l.GBps)})
	}
	return t
}

func figureTable(what string, figures []Figure) table {
	t := table{head: []string{what, "minimum", "median", "GFLOP/s", "of peak", "GB/s", "of loads", "× one thread", "× plain Go", "allocs"}}
	for _, f := range figures {
		row := []string{f.Name, "–", "–", "–", "–", "–", "–", "–", "–", "–"}
		if f.Skipped == "" {
			row[1], row[2], row[9] = micro(f.MinUs), micro(f.MedianUs), fmt.Sprint(f.Allocs)
		}
		for i, v := range map[int]float64{3: f.GFLOPS, 5: f.GBps, 7: f.OneThread, 8: f.GoRatio} {
			if v > 0 {
				row[i] = significant(v)
			}
		}
		for i, v := range map[int]float64{4: f.PeakShare, 6: f.LoadShare} {
			if v > 0 {
				row[i] = fmt.Sprintf("%.0f %%", 100*v)
			}
		}
		t.rows = append(t.rows, row)
	}
	return t.withoutEmpty()
}

// notes say why figures are missing, each reason once.
func (r *Report) notes() []string {
	var order []string
	names := map[string][]string{}
	for _, figures := range [][]Figure{r.Kernels, r.Models} {
		for _, f := range figures {
			for _, reason := range []string{f.Skipped, f.Note} {
				if reason == "" {
					continue
				}
				if names[reason] == nil {
					order = append(order, reason)
				}
				names[reason] = append(names[reason], f.Name)
			}
		}
	}
	for i, reason := range order {
		order[i] = strings.Join(names[reason], "; ") + ": " + reason
	}
	return order
}

// Headline sums the run up in a sentence, unless the machine throttled: then it
// says that instead.
func (r *Report) Headline() string {
	if len(r.Throttled) > 0 {
		return "THROTTLED: " + strings.Join(r.Throttled, "; ") +
			". These are not the figures of this machine: see to its cooling and power supply, and run again."
	}
	for _, f := range r.Models {
		if f.Skipped != "" {
			continue
		}
		s := fmt.Sprintf("%s: %s an inference, %s a second on %s", f.Name, micro(f.MinUs), count(1e6/f.MinUs), plural(r.Threads, "thread"))
		if f.GoRatio > 0 {
			s += fmt.Sprintf(", %s times as fast as plain Go", significant(f.GoRatio))
		}
		return s + "."
	}
	return fmt.Sprintf("The %s kernels can reach %s GFLOP/s on %s.", r.KernelSet, significant(r.Peak()), plural(r.Threads, "thread"))
}
