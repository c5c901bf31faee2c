package fusion

// Tasks of a head.
const (
	Classify = "classify"
	Regress  = "regress"
	Embed    = "embed"
)

// The values of the other choices of a config.
const (
	projectLinear, projectNone = "linear", "none"

	strategyGate, strategySelf, strategyCo, strategyHybrid = "gate", "self", "co", "hybrid"

	activateReLU, activateGELU = "relu", "gelu"

	scoreDot, scoreHadamard = "dot", "hadamard"

	alignIdentity, alignResample, alignAnchor, alignSlots = "identity", "resample", "anchor", "slots"

	gateShared, gateFeature = "shared", "feature"

	poolSum, poolMean, poolAttention, poolNone = "sum", "mean", "attention", "none"
)

// What the rows of an attention block may attend to: every row, the rows of
// their own modality, those of the others; or the others for the anchor's rows
// and nothing for the rest.
const blockSelf, blockIntra, blockCross, blockOneWay = "self", "intra", "cross", "one way"

// Config is the `config` of a model file: sizes and choices. ParseConfig fills
// in what the file leaves out.
type Config struct {
	Name       string     `json:"name"`
	Modalities []Modality `json:"modalities"`
	Width      int        `json:"width"`      // d
	Projection string     `json:"projection"` // projectLinear, …
	Strategy   string     `json:"strategy"`   // strategyGate, …
	Layers     int        `json:"layers"`
	Heads      int        `json:"heads"`
	FFN        int        `json:"ffn"`
	Activation string     `json:"activation"` // activateReLU, …
	Norm       bool       `json:"norm"`
	Score      string     `json:"score"` // scoreDot, …
	OneWay     bool       `json:"one_way"`
	Align      string     `json:"align"` // alignIdentity, …
	Anchor     string     `json:"anchor"`
	Slots      int        `json:"slots"`
	Gate       string     `json:"gate"` // gateShared, …
	Gates      int        `json:"gates"`
	Pool       string     `json:"pool"` // poolSum, …
	Head       Head       `json:"head"`
}

// Modality is one kind of input.
type Modality struct {
	Name     string `json:"name"`     // of a-z, 0-9, _ and -
	Regions  int    `json:"regions"`  // N_m, the most rows it may have
	Features int    `json:"features"` // d_m
}

// Head turns the fused vector into an answer.
type Head struct {
	Task    string   `json:"task"`             // Classify, Regress, Embed
	Hidden  int      `json:"hidden"`           // 0: one layer
	Outputs int      `json:"outputs"`          // C; 0 when it embeds
	Labels  []string `json:"labels,omitempty"` // one per output, or none
}

// Index returns the place of a modality in model order, -1 when there is none of
// that name.
func (c *Config) Index(modality string) int {
	for i, m := range c.Modalities {
		if m.Name == modality {
			return i
		}
	}
	return -1
}

// gateCount is S: the rows of Z when it is pooled, and the columns of Ω.
func (c *Config) gateCount() int {
	if c.Gate == gateFeature {
		return 1
	}
	return c.Gates
}

// gateSize is G: the values of the gate per slot and modality.
func (c *Config) gateSize() int {
	if c.Gate == gateFeature {
		return c.Width
	}
	return c.Gates
}

// maxSlots is the largest R an input can have.
func (c *Config) maxSlots() int {
	rows := make([]int, len(c.Modalities))
	for i, m := range c.Modalities {
		rows[i] = m.Regions
	}
	return c.slots(rows)
}

// slots is R for an input with the given rows per modality.
func (c *Config) slots(rows []int) int {
	switch c.Align {
	case alignIdentity:
		most := 0
		for _, n := range rows {
			most = max(most, n)
		}
		return most
	case alignAnchor:
		return rows[c.Index(c.Anchor)]
	}
	return c.Slots
}

// absorbs reports whether products can absorb U = P H̄ of the modalities whose rows
// are attended to: where Z is a plain sum over the slots, and the few columns of W_g
// and of the gate cost less than the d of U. P may not take more memory than U.
func (c *Config) absorbs() bool {
	if c.Align != alignAnchor && c.Align != alignSlots || c.Gate != gateShared || c.Pool != poolSum && c.Pool != poolMean {
		return false
	}
	d, R, columns := float64(c.Width), float64(c.maxSlots()), float64(len(c.Modalities)*c.Gates)
	rows := 0.0
	for _, m := range c.Modalities {
		if !c.takes(m.Name) {
			rows += float64(m.Regions)
		}
	}
	if absorbing == saveWherePaid && rows > float64(len(c.Modalities))*d {
		return false
	}
	// Products for each row: its term of the logits, P of that, and the sum over slots.
	return absorbing.pays(columns*d+R*columns+R*float64(c.Gates), R*d)
}

// takes reports whether the rows of a modality are slots as they are, while those of
// others are attended to.
func (c *Config) takes(modality string) bool { return c.Align == alignAnchor && modality == c.Anchor }

// direct reports whether the rows of H̄ are those of U: blocks want the rows of all
// modalities one after the other, U those of a slot.
func (c *Config) direct() bool {
	return c.Align == alignIdentity && (c.Layers == 0 || len(c.Modalities) == 1)
}

// fusedRows is the number of rows of Z for R slots.
func (c *Config) fusedRows(R int) int {
	if c.Pool == poolNone {
		return R
	}
	return c.gateCount()
}

// blocks lists the kind of every attention block.
func (c *Config) blocks() []string {
	cross := blockCross
	if c.OneWay {
		cross = blockOneWay
	}
	var layer []string
	switch c.Strategy {
	case strategySelf:
		layer = []string{blockSelf}
	case strategyCo:
		layer = []string{cross}
	case strategyHybrid:
		layer = []string{blockIntra, cross}
	}
	var blocks []string
	for range c.Layers {
		blocks = append(blocks, layer...)
	}
	return blocks
}

// hadamard reports whether a block of this kind, or this alignment, has the
// hadamard score.
func (c *Config) hadamard(kind string) bool {
	return c.Score == scoreHadamard && (kind == blockCross || kind == blockOneWay || kind == alignAnchor)
}
