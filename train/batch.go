package train

import "github.com/ragedge/ragedge/fusion"

// span is a run of rows of H: from first up to end.
type span struct{ first, end int }

func (s span) rows() int { return s.end - s.first }

// of returns the rows of the span of a matrix with d columns.
func (s span) of(x []float32, d int) []float32 { return x[s.first*d : s.end*d] }

// batch is the examples of a pass: their rows, and where these and their slots lie.
type batch struct {
	config     *fusion.Config
	size       int         // examples
	rows       int         // of H, of all examples
	slots      int         // of U, of all examples
	x          [][]float32 // by modality: the rows of all examples [Σ n_m, d_m]
	spans      []span      // by example and modality: where its rows are in H
	firstSlots []int       // by example, and the end: where its slots begin in U
	counts     []int       // n_m of the example at hand
}

func (p *pass) newBatch(examples int) batch {
	c := &p.net.Config
	b := batch{config: c, counts: make([]int, len(c.Modalities))}
	for _, m := range c.Modalities {
		b.x = append(b.x, p.take(examples * m.Regions * m.Features)[:0])
	}
	b.spans = make([]span, 0, examples*len(c.Modalities))
	b.firstSlots = append(make([]int, 0, examples+1), 0)
	return b
}

func (b *batch) reset() {
	b.size, b.rows, b.slots = 0, 0, 0
	b.spans, b.firstSlots = b.spans[:0], b.firstSlots[:1]
	for m := range b.x {
		b.x[m] = b.x[m][:0]
	}
}

// next returns where n rows of modality m of the next example go. Modalities come in
// order, all of them; then finish.
func (b *batch) next(m, n int) []float32 {
	at := len(b.x[m])
	b.x[m] = b.x[m][:at+n*b.config.Modalities[m].Features]
	b.spans = append(b.spans, span{b.rows, b.rows + n})
	b.rows += n
	b.counts[m] = n
	return b.x[m][at:]
}

// finish ends an example.
func (b *batch) finish() {
	b.size++
	b.slots += b.config.SlotCount(b.counts)
	b.firstSlots = append(b.firstSlots, b.slots)
}

// span returns where the rows of modality m of an example are in H, and all where all its
// rows are.
func (b *batch) span(example, m int) span { return b.spans[example*len(b.x)+m] }
func (b *batch) all(example int) span {
	return span{b.span(example, 0).first, b.span(example, len(b.x)-1).end}
}

// slotsOf returns where the slots of an example are in U.
func (b *batch) slotsOf(example int) span {
	return span{b.firstSlots[example], b.firstSlots[example+1]}
}

// filled returns how many slots of an example are valid for modality m; they come first.
func (b *batch) filled(example, m int) int {
	n := b.span(example, m).rows()
	if n > 0 && b.config.Align != "identity" {
		return b.slotsOf(example).rows()
	}
	return n
}
