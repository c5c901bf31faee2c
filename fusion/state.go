package fusion

import (
	"runtime"

	"github.com/ragedge/ragedge"
)

// inputBand is how many rows are normalised at a time on their way to H, enough of
// them that fetching the weights again does not count.
const inputBand = 128

// State holds the buffers of one inference: make one per goroutine. They are
// parts of one slice and nothing grows, so a State is all the memory that Fuse
// ever needs.
type State struct {
	model  *Model
	values []float32 // all buffers

	// Of the current input.
	rows   []int  // n_m
	spans  []span // where the rows of each modality are in H
	all    span   // all rows of H
	slots  int    // R
	filled []int  // how many slots of each modality are valid; they come first

	// What one equation hands to the next.
	stack     []float32   // H, then H̄: the rows of all modalities; unless they are in u
	u         []float32   // U [R, M, d]; none where it is absorbed:
	weights   [][]float32 // P^m [R, n_m] instead; none of the anchor
	attention []float32   // L, then A as it is given out, [R, M, G]
	a         []float32   // of a shared gate, L, then A as [M, S, R]
	gates     []float32   // A under one gate as [R, M]; attention itself for one gate
	omega     []float32   // Ω [S, R]
	z         []float32   // Z
	out       Output

	region []float32 // Ω as it is given out, [R, S]; omega itself for one gate

	memories []memory        // of each modality
	again    bool            // every modality has the rows of the last time, or none
	team     *team           // nil: one thread
	retire   runtime.Cleanup // of the team

	// What an equation needs for itself: E0,
	x []float32 // normalised input rows [inputBand, d_m], or fewer
	// E2 and E3, attention,
	keys   []float32 // Kᵀ [d, n], or [d_h, n] of one head after the other
	scores []float32 // of a block of queries over a block of keys
	// E2,
	normed   []float32 // LN(H) [n, d]
	queries  []float32 // Q [n, d]
	keyValue []float32 // K and V side by side, [n, 2d]
	panels   []float32 // V [n, d_h] of one head after the other
	context  []float32 // P V [n, d]
	turned   []float32 // Qᵀ, then the context as columns [d, n]
	weighted []float32 // queries times the weight of a head's score [n, d]
	ffn      []float32 // the inner layer [n, ffn]
	// E3,
	anchors []float32 // Q [R, d], align anchor
	factors []float32 // K [n_m, d], hadamard score
	// E4 to E7.
	terms  []float32 // H̄^m W_{g,m}ᵀ [n_m, M·S]
	sums   []float32 // P^m of these [R, M·S]
	mixed  []float32 // Σ_r A P^m [n_m]
	y      []float32 // Y [R, d] of one gate
	bent   []float32 // tanh Y
	hidden []float32
}

// NewState returns a State with buffers for the largest input that m takes.
func (m *Model) NewState() *State {
	M := len(m.Config.Modalities)
	s := &State{
		model: m, values: make([]float32, m.Config.workspace()),
		rows: make([]int, M), spans: make([]span, M), filled: make([]int, M),
	}
	s.layOut(&m.Config, &arena{values: s.values})
	return s
}

// workspace is the number of values in the buffers of a State.
func (c *Config) workspace() int64 {
	var a arena
	new(State).layOut(c, &a)
	return a.most
}

// layOut takes every buffer from the arena, each as large as the largest input
// of c makes it.
func (s *State) layOut(c *Config, a *arena) {
	d, M, R := c.Width, len(c.Modalities), c.maxSlots()
	S, G := c.gateCount(), c.gateSize()
	var rows, mostRows, mostFeatures int
	for _, m := range c.Modalities {
		rows += m.Regions
		mostRows = max(mostRows, m.Regions)
		mostFeatures = max(mostFeatures, m.Features)
	}

	blocks, aligns := c.Layers > 0, c.Align == alignAnchor || c.Align == alignSlots
	if !c.direct() {
		s.stack = a.take(rows, d)
	}
	s.weights, s.memories = make([][]float32, M), make([]memory, M)
	for i, m := range c.Modalities {
		if c.absorbs() && !c.takes(m.Name) {
			s.weights[i] = a.take(R, m.Regions)
		}
		if c.keeps(i) {
			s.memories[i].input = a.take(m.Regions, m.Features)
			if blocks {
				s.memories[i].settled = a.take(m.Regions, d)
			}
		}
	}
	if !c.absorbs() {
		s.u = a.take(R, M, d)
	}
	if blocks && c.direct() {
		s.stack = s.u
	}
	s.attention = a.take(R, M, G)
	if c.Gate == gateShared {
		s.a = a.take(R, M, S)
	}
	s.omega, s.z = a.take(S, R), a.take(c.fusedRows(R), d)
	s.gates, s.region = s.attention, s.omega
	if S > 1 {
		s.gates, s.region = a.take(R, M), a.take(R, S)
	}
	s.out.Share = a.take(M)
	if c.Head.Task != Embed {
		s.out.Logits = a.take(c.Head.Outputs)
	}
	if c.Head.Task == Classify {
		s.out.Probabilities = a.take(c.Head.Outputs)
	}

	// The equations follow one another, so what each needs for itself may lie in
	// the same place; but a modality's first block comes while others are projected.
	s.x = a.take(min(inputBand, mostRows), mostFeatures)
	free := a.used
	if blocks || aligns {
		most := mostRows
		if blocks {
			most = rows
		}
		s.keys = a.take(d, most)
		s.scores = a.take(max(ragedge.AttentionScores(max(R, most), most), ragedge.AttentionColumnsScores(most, min(most, columnKeys))))
	}
	attention := a.used
	if blocks {
		s.normed = a.take(rows, d)
		inner := a.used
		s.queries, s.keyValue = a.take(rows, d), a.take(rows, 2, d)
		s.panels, s.context, s.turned = a.take(rows, d), a.take(rows, d), a.take(rows, d)
		if c.Score == scoreHadamard {
			s.weighted = a.take(rows, d)
		}
		a.used = inner
		s.ffn = a.take(rows, c.FFN)
	}
	a.used = attention
	if aligns {
		s.anchors = a.take(R, d)
		if c.Score == scoreHadamard {
			s.factors = a.take(mostRows, d)
		}
	}

	a.used = free
	if c.absorbs() {
		s.terms, s.sums, s.mixed = a.take(mostRows, M, S), a.take(R, M, S), a.take(mostRows)
	}
	if c.Pool == poolAttention {
		s.y, s.bent = a.take(R, d), a.take(R, d)
	}
	s.hidden = a.take(c.Head.Hidden)
}

// Model returns the model that s computes.
func (s *State) Model() *Model { return s.model }

// Bytes returns how much memory the buffers of s take.
func (s *State) Bytes() int { return 4 * len(s.values) }

// part returns H^m [n_m, d].
func (s *State) part(m int) matrix {
	if s.model.direct() {
		return s.aligned(m)
	}
	return matrix{s.rowsOf(m), s.model.Config.Width}
}

// rowsOf returns H^m [n_m, d] side by side, as it is unless it lies in U.
func (s *State) rowsOf(m int) []float32 { return s.spans[m].of(s.stack, s.model.Config.Width) }

// aligned returns U^m [R, d].
func (s *State) aligned(m int) matrix {
	d := s.model.Config.Width
	return matrix{s.u[m*d:], len(s.spans) * d}
}
