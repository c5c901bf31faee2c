package train

import (
	"fmt"
	"math"
	"strings"
)

// hues are the colours of modalities, in turn.
var hues = []string{"#d07a17", "#c2a500", "#2f7fd0", "#2f9a62", "#8a5fb5", "#c24b6e", "#5c7285"}

// begin opens an SVG of a size in pixels, which says what it shows.
func (p *page) begin(width, height int, title string) {
	p.f("<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n", width, height, width, height, text(title))
}

func (p *page) end() { p.f("</svg>\n") }

// label writes a text at a place; anchor is start, middle or end.
func (p *page) label(x, y float64, anchor, class, s string) {
	p.f("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>\n", x, y, anchor, class, text(s))
}

func (p *page) bar(x, y, width, height float64, fill, title string) {
	p.f("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"><title>%s</title></rect>\n", x, y, max(width, 0), height, fill, text(title))
}

// curves plots losses and the score of every training by epoch, side by side.
func (p *page) curves(curves []Curve) {
	p.chart("loss", "training", "validation", curves, func(e *Epoch) (float64, float64) { return e.TrainLoss, e.ValidationLoss })
	p.chart("score of the validation", "", "score", curves, func(e *Epoch) (float64, float64) { return math.NaN(), e.Score })
}

// chart plots two values of every epoch; a NaN is left out.
func (p *page) chart(title, nameA, nameB string, curves []Curve, of func(*Epoch) (a, b float64)) {
	const width, height, left, top, right, bottom = 440, 220, 46, 24, 10, 26
	low, high, epochs := math.Inf(1), math.Inf(-1), 1
	for _, c := range curves {
		for i := range c.Epochs {
			a, b := of(&c.Epochs[i])
			for _, v := range []float64{a, b} {
				if v == v {
					low, high = min(low, v), max(high, v)
				}
			}
			epochs = max(epochs, len(c.Epochs))
		}
	}
	if !(high > low) {
		low, high = low-0.5, low+0.5
	}
	x := func(epoch int) float64 {
		return left + float64(width-left-right)*float64(epoch-1)/float64(max(epochs-1, 1))
	}
	y := func(v float64) float64 {
		return top + float64(height-top-bottom)*(high-v)/(high-low)
	}
	p.begin(width, height, title)
	for i := range 5 {
		v := low + (high-low)*float64(i)/4
		p.f("<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"var(--line)\"/>\n", left, width-right, y(v), y(v))
		p.label(left-6, y(v)+4, "end", "faint", fmt.Sprintf("%.2g", v))
	}
	p.label(left, 14, "start", "", title)
	p.label(width-right, height-6, "end", "faint", fmt.Sprintf("epoch %d", epochs))
	if nameA != "" {
		p.f("<text x=\"%d\" y=\"14\" text-anchor=\"end\"><tspan fill=\"var(--a)\">%s</tspan> <tspan fill=\"var(--b)\">%s</tspan></text>\n", width-right, text(nameA), text(nameB))
	}
	for _, c := range curves {
		var a, b strings.Builder
		for i := range c.Epochs {
			va, vb := of(&c.Epochs[i])
			if va == va {
				fmt.Fprintf(&a, "%.1f,%.1f ", x(i+1), y(va))
			}
			fmt.Fprintf(&b, "%.1f,%.1f ", x(i+1), y(vb))
			if i+1 == c.Best {
				p.f("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"var(--b)\"><title>seed %d, epoch %d: %.3f</title></circle>\n", x(i+1), y(vb), c.Seed, c.Best, vb)
			}
		}
		p.f("<polyline points=\"%s\" fill=\"none\" stroke=\"var(--a)\" stroke-opacity=\".8\"/>\n<polyline points=\"%s\" fill=\"none\" stroke=\"var(--b)\" stroke-opacity=\".8\"/>\n", a.String(), b.String())
	}
	p.end()
}

// confusion plots answers by truth: the darker, the larger the part of the row.
func (p *page) confusion(e *Evaluation) {
	n, cell, left := len(e.Confusion), 56.0, 130.0
	if n > 12 {
		cell = 30
	}
	size := float64(n) * cell
	p.begin(int(left+size)+10, int(size)+52, "answers by truth")
	p.label(left, 14, "start", "faint", "answer →")
	for t, row := range e.Confusion {
		total := 0
		for _, v := range row {
			total += v
		}
		y := 40 + float64(t)*cell
		p.label(left-8, y+cell/2+4, "end", "", shorten(labelText(e.Labels, t), 18))
		p.label(left+(float64(t)+.5)*cell, 34, "middle", "", shorten(labelText(e.Labels, t), int(cell/7)))
		for a, v := range row {
			part := float64(v) / float64(max(total, 1))
			hue := "var(--b)"
			if a == t {
				hue = "var(--good)"
			}
			x := left + float64(a)*cell
			p.f("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\" fill-opacity=\"%.2f\" stroke=\"var(--line)\"><title>%s answered as %s: %d of %d</title></rect>\n",
				x, y, cell, cell, hue, 0.75*part, text(labelText(e.Labels, t)), text(labelText(e.Labels, a)), v, total)
			if v > 0 {
				p.label(x+cell/2, y+cell/2+4, "middle", "", fmt.Sprint(v))
			}
		}
	}
	p.end()
}

// shares plots the attention of the modalities, a bar for every class.
func (p *page) shares(e *Evaluation) {
	if len(e.Shares) == 0 {
		return
	}
	const width, left, bar, step = 640, 130, 18, 26
	p.begin(width, len(e.Shares)*step+34, "share of the attention")
	for r, row := range e.Shares {
		name := "all"
		if len(e.Confusion) > 0 {
			name = labelText(e.Labels, r)
		}
		y, x := float64(r*step), float64(left)
		p.label(left-8, y+14, "end", "", shorten(name, 18))
		for m, s := range row {
			w := s.Share * (width - left - 10)
			p.bar(x, y, w, bar, hues[m%len(hues)], fmt.Sprintf("%s: %s %.0f %%", name, s.Modality, 100*s.Share))
			x += w
		}
	}
	x := float64(left)
	for m, s := range e.Shares[0] {
		p.bar(x, float64(len(e.Shares)*step)+10, 10, 10, hues[m%len(hues)], s.Modality)
		p.label(x+14, float64(len(e.Shares)*step)+19, "start", "", s.Modality)
		x += 26 + 7*float64(len(s.Modality))
	}
	p.end()
}

// missing plots the main score without modalities.
func (p *page) missing(e *Evaluation) {
	const width, left, bar, step = 640, 190, 14, 20
	scale := float64(width - left - 110)
	p.begin(width, len(e.Missing)*step+6, "score without modalities")
	for i := range e.Missing {
		m := &e.Missing[i]
		v, said := mainScore(&m.Scores)
		if m.Unanswered > 0 {
			said += fmt.Sprintf(", %d no answer", m.Unanswered)
		}
		y, name := float64(i*step), strings.Join(m.Without, " and ")
		p.label(left-8, y+12, "end", "", shorten(name, 26))
		p.bar(left, y, scale*max(v, 0), bar, "var(--a)", "without "+name+": "+said)
		p.label(left+scale+8, y+12, "start", "faint", said)
	}
	all, _ := mainScore(&e.Scores)
	p.f("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\" stroke=\"var(--ink)\" stroke-dasharray=\"3 3\"/>\n", left+scale*max(all, 0), left+scale*max(all, 0), len(e.Missing)*step)
	p.end()
}

// mainScore returns the score that plots show, from 0 to 1, and says it.
func mainScore(s *Scores) (float64, string) {
	if s.NumberScores != nil {
		return s.Pearson, fmt.Sprintf("r %.3f", s.Pearson)
	}
	return s.Accuracy, fmt.Sprintf("%.1f %%", 100*s.Accuracy)
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n && n > 1 {
		return string(r[:n-1]) + "…"
	}
	return s
}
