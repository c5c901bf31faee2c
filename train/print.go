package train

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Files returns what to write: the model, then the report in both forms.
func (s *Selection) Files() ([]Output, error) {
	model, err := s.Parameters.Bytes()
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(s.Report, "", "  ")
	if err != nil {
		return nil, err
	}
	return []Output{
		{cmp.Or(s.Report.Name, "model") + ".safetensors", model},
		{"report.json", append(text, '\n')},
		{"report.html", s.Report.HTML()},
	}, nil
}

// Print writes the report as a table for a terminal.
func (r *Report) Print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\tcandidate\tvalidation (%s)\ttest\tparameters\tmultiply-adds\tlatency\n", r.scoreName())
	for i := range r.Table {
		row := &r.Table[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", map[bool]string{true: "*"}[row.Chosen], row.Name, row.Validation, row.test(),
			row.Parameters, row.MultiplyAdds, micros(row.Latency))
	}
	t.Flush()
	for _, note := range r.Notes {
		fmt.Fprintln(w, "note: "+note)
	}
	e, what := r.Validation, "validation"
	if r.Test != nil {
		e, what = r.Test, "test"
	}
	fmt.Fprintf(w, "%s: %s\n", what, e)
}

func (r *Report) scoreName() string { return strings.ReplaceAll(r.Select, "_", " ") }

// test is the test's main figure, empty without a test.
func (r *Row) test() string {
	switch {
	case r.TestAccuracy != nil:
		return "accuracy " + r.TestAccuracy.String()
	case r.TestPearson != nil:
		return "r " + r.TestPearson.String()
	}
	return ""
}

func (m Mean) String() string {
	if m.N < 2 {
		return fmt.Sprintf("%.3f", m.Mean)
	}
	return fmt.Sprintf("%.3f ± %.3f", m.Mean, m.Error)
}

func (e *Evaluation) String() string {
	if e.NumberScores != nil {
		return fmt.Sprintf("%d rows, RMSE %.4g, MAE %.4g, r %.3f", e.Rows, e.RMSE, e.MAE, e.Pearson)
	}
	return fmt.Sprintf("%d rows, accuracy %.1f %% (95 %%: %.1f to %.1f), macro F1 %.3f, calibration error %.3f",
		e.Rows, 100*e.Accuracy, 100*e.Interval[0], 100*e.Interval[1], e.MacroF1, e.ECE)
}

// micros writes nanoseconds as microseconds.
func micros(ns int64) string {
	return fmt.Sprintf("%.1f µs", float64(ns)/float64(time.Microsecond))
}

// Print writes an evaluation for a terminal.
func (e *Evaluation) Print(w io.Writer) {
	fmt.Fprintln(w, e)
	if e.Unknown > 0 {
		fmt.Fprintf(w, "%d rows have no label or target and are left out\n", e.Unknown)
	}
	if e.Unanswered > 0 {
		fmt.Fprintf(w, "%d rows had nothing to answer from\n", e.Unanswered)
	}
	if b := e.Against; b != nil {
		fmt.Fprintf(w, "%s or not: accuracy %.1f %% (95 %%: %.1f to %.1f), F1 of not %.3f\n", b.Label, 100*b.Accuracy, 100*b.Interval[0], 100*b.Interval[1], b.F1)
	}
	fmt.Fprintf(w, "one answer takes %s\n\n", micros(e.Latency))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	e.printClasses(t)
	if len(e.Missing) > 0 {
		fmt.Fprintln(t, "without\trows\t")
	}
	for i := range e.Missing {
		m := &e.Missing[i]
		_, said := mainScore(&m.Scores)
		fmt.Fprintf(t, "%s\t%d\t%s\n", strings.Join(m.Without, ", "), m.Rows, said)
	}
	t.Flush()
}

// printClasses writes a line per class: how well it is told, and what was answered.
func (e *Evaluation) printClasses(t io.Writer) {
	if len(e.Classes) == 0 {
		return
	}
	fmt.Fprint(t, "label\trows\trecall\tprecision\tanswered:")
	for c := range e.Classes {
		fmt.Fprintf(t, "\t%s", e.Classes[c].Label)
	}
	fmt.Fprintln(t)
	for c, class := range e.Classes {
		fmt.Fprintf(t, "%s\t%d\t%.3f\t%.3f\t", class.Label, class.Rows, class.Recall, class.Precision)
		for _, n := range e.Confusion[c] {
			fmt.Fprintf(t, "\t%d", n)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintln(t)
}
