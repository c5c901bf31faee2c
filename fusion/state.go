package fusion

// State holds the buffers of one inference: make one per goroutine. Nothing in it
// grows, so a State is all the memory that Fuse ever needs.
type State struct {
	model *Model

	// Of the current input.
	rows   []int // n_m
	slots  int   // R
	filled []int // how many slots of each modality are valid; they come first

	x       []float32   // one normalised input row
	stack   []float32   // H, then H̄: the valid rows of all modalities, one after the other
	h       [][]float32 // parts of stack: H^m [n_m, d]
	queries []float32   // Q [R, d], align anchor
	keys    []float32   // K [n_m, d], hadamard score
	scores  []float32   // a row of S
	u       []float32   // U [R, M, d]
	a       []float32   // L, then A; see gate
	column  []float32   // A of one slot and feature, [M]
	y       []float32   // Y [R, d] of one gate, pool attention
	tanh    []float32   // tanh of a row of Y
	omega   []float32   // Ω [S, R]
	z       []float32   // Z
	hidden  []float32   // of the head

	attention, region []float32 // A and Ω as given out, where the order differs
	out               Output
	size              int
}

// NewState returns a State with buffers for the largest input that m takes.
func (m *Model) NewState() *State {
	c := &m.Config
	M, d, R := len(c.Modalities), c.Width, c.maxSlots()
	S, G := c.gateCount(), c.gateSize()
	s := &State{model: m, rows: make([]int, M), filled: make([]int, M), h: make([][]float32, M)}
	floats := func(n int) []float32 {
		s.size += 4 * n
		return make([]float32, n)
	}
	var rows, mostRows, mostFeatures int
	for i, modality := range c.Modalities {
		rows += modality.Regions
		mostRows = max(mostRows, modality.Regions)
		if m.inputs[i].mean != nil {
			mostFeatures = max(mostFeatures, modality.Features)
		}
	}
	s.x, s.stack = floats(mostFeatures), floats(rows*d)
	s.u, s.a = floats(R*M*d), floats(R*M*G)
	if m.attention.query != nil {
		s.queries = floats(R * d)
	}
	if m.attention.key != nil {
		s.keys = floats(mostRows * d)
	}
	if c.Align == alignAnchor || c.Align == alignSlots {
		s.scores = floats(mostRows)
	}
	if m.gate.feature {
		s.column = floats(M)
	}
	if c.Pool == poolAttention {
		s.y, s.tanh = floats(R*d), floats(d)
	}
	s.omega, s.z = floats(R*S), floats(c.fusedRows(R)*d)
	if S > 1 {
		s.attention, s.region = floats(R*M*S), floats(R*S)
	}
	s.out.Share = floats(M)
	if n := len(m.layers); n > 0 {
		s.hidden, s.out.Logits = floats(c.Head.Hidden), floats(c.Head.Outputs)
		if c.Head.Task == Classify {
			s.out.Probabilities = floats(c.Head.Outputs)
		}
	}
	return s
}

// Model returns the model that s computes.
func (s *State) Model() *Model { return s.model }

// Bytes returns how much memory the buffers of s take.
func (s *State) Bytes() int { return s.size }

// row returns row i of H^m, [d].
func (s *State) row(m, i int) []float32 {
	d := s.model.Config.Width
	return s.h[m][i*d : (i+1)*d]
}

// slot returns [U^1_r ‖ … ‖ U^M_r], [M·d].
func (s *State) slot(r int) []float32 {
	n := len(s.h) * s.model.Config.Width
	return s.u[r*n : (r+1)*n]
}

// aligned returns U^m_r, [d].
func (s *State) aligned(r, m int) []float32 {
	d := s.model.Config.Width
	at := (r*len(s.h) + m) * d
	return s.u[at : at+d]
}
