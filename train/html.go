package train

import (
	"fmt"
	"html"
	"strings"
)

// page collects HTML. Everything that comes from data goes through text.
type page struct{ strings.Builder }

func (p *page) f(format string, args ...any) { fmt.Fprintf(&p.Builder, format, args...) }

// text makes a string safe between tags and in quoted attributes.
func text(s string) string { return html.EscapeString(s) }

const style = `<style>
:root{color-scheme:light dark;--ink:#1d2733;--faint:#68778a;--line:#d5dde6;--paper:#fff;--a:#2367b0;--b:#d07a17;--good:#2a7f55}
@media(prefers-color-scheme:dark){:root{--ink:#e3e9f0;--faint:#98a6b6;--line:#33404e;--paper:#151b22;--a:#6aa9ee;--b:#efa850;--good:#63c394}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:0}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}.wide{overflow-x:auto}
th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{font-weight:600;color:var(--faint)}
tr.chosen td{font-weight:600}tr.baseline td{color:var(--faint)}
.faint{color:var(--faint)}.note{border-left:3px solid var(--b);padding-left:.7rem;margin:.4rem 0}
svg{max-width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .faint{fill:var(--faint)}
</style>`

// HTML returns the report as one page that needs nothing else.
func (r *Report) HTML() []byte {
	p := &page{}
	p.f("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n<title>%s: training report</title>\n%s\n", text(r.Name), style)
	p.f("<h1>%s</h1>\n<p class=\"faint\">%s, ragedge %s, kernel set %s, %.0f s</p>\n", text(r.Name), text(r.Created), text(r.Version), text(r.KernelSet), r.Seconds)
	r.summary(p)
	r.comparison(p)
	p.f("<h2>Learning</h2>\n<p class=\"faint\">Of the kept candidate, by epoch. The dots are the epochs whose weights were kept.</p>\n")
	p.curves(r.Curves)
	for _, e := range []struct {
		name string
		of   *Evaluation
	}{{"Test", r.Test}, {"Validation", r.Validation}} {
		if e.of != nil {
			e.of.section(p, e.name)
		}
	}
	r.origin(p)
	p.f("</html>\n")
	return []byte(p.String())
}

// summary says in words what came out.
func (r *Report) summary(p *page) {
	p.f("<p>Kept: <b>%s</b>, seed %d, ", text(r.Chosen), r.Seed)
	p.f("the cheapest of the models within one standard error of the best, by %s.</p>\n", text(r.scoreName()))
	if r.Test != nil {
		p.f("<p>Test: %s.</p>\n", text(r.Test.String()))
	}
	p.f("<p>Validation: %s.</p>\n", text(r.Validation.String()))
	for _, note := range r.Notes {
		p.f("<p class=\"note\">%s</p>\n", text(note))
	}
}

// comparison is the table of all candidates.
func (r *Report) comparison(p *page) {
	p.f("<h2>What was compared</h2>\n<p class=\"faint\">Mean ± standard error over the seeds, %d at most. Baselines are in grey; they are never kept.</p>\n", len(r.Seeds))
	p.f("<div class=\"wide\"><table><tr><th>candidate<th>validation, %s<th>test<th>parameters<th>multiply-adds<th>latency here</tr>\n", text(r.scoreName()))
	for i := range r.Table {
		row := &r.Table[i]
		class := ""
		if row.Kind != kindModel {
			class = "baseline"
		}
		if row.Chosen {
			class = "chosen"
		}
		p.f("<tr class=\"%s\"><td>%s<td>%s<td>%s<td>%d<td>%d<td>%s</tr>\n", class, text(row.Name), row.Validation, text(row.test()), row.Parameters, row.MultiplyAdds, micros(row.Latency))
	}
	p.f("</table></div>\n")
}

// section shows an evaluation.
func (e *Evaluation) section(p *page, name string) {
	p.f("<h2>%s</h2>\n<p>%s. One answer takes %s here.", name, text(e.String()), micros(e.Latency))
	if e.Unanswered > 0 {
		p.f(" %d rows had nothing to answer from.", e.Unanswered)
	}
	p.f("</p>\n")
	if len(e.Confusion) > 0 {
		p.f("<h3>Answers by truth</h3>\n")
		p.confusion(e)
		p.f("<div class=\"wide\"><table><tr><th>label<th>rows<th>precision<th>recall<th>F1</tr>\n")
		for _, c := range e.Classes {
			p.f("<tr><td>%s<td>%d<td>%.3f<td>%.3f<td>%.3f</tr>\n", text(c.Label), c.Rows, c.Precision, c.Recall, c.F1)
		}
		p.f("</table></div>\n")
	}
	p.f("<h3>Where it looked</h3>\n<p class=\"faint\">The share of the attention that every modality has.</p>\n")
	p.shares(e)
	if len(e.Missing) > 0 {
		p.f("<h3>Without a modality</h3>\n<p class=\"faint\">The same model with modalities masked, as when their sensors fail. The line is with everything there.</p>\n")
		p.missing(e)
	}
}

// origin says what the report is about, for those who want to repeat it.
func (r *Report) origin(p *page) {
	p.f("<h2>Data</h2>\n<div class=\"wide\"><table>\n")
	line := func(key, value string) {
		if value != "" {
			p.f("<tr><td>%s<td>%s</tr>\n", text(key), text(value))
		}
	}
	line("recordings", r.Data.Name)
	line("digest", r.Data.Digest)
	line("test", r.Data.TestName)
	line("digest of the test", r.Data.TestDigest)
	line("examples", fmt.Sprintf("%d: %d training, %d validation, %d test, %d in gaps", r.Data.Examples, r.Data.Train, r.Data.Validation, r.Data.Test, r.Split.Dropped))
	line("split", r.Split.Method)
	line("gap", r.Split.Gap)
	line("groups of the validation", strings.Join(r.Split.Groups, ", "))
	line("seeds", strings.Trim(fmt.Sprint(r.Seeds), "[]"))
	if r.Temperature > 0 {
		line("temperature", fmt.Sprintf("%.3f", r.Temperature))
	}
	p.f("</table></div>\n")
}
