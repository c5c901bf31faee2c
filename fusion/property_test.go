package fusion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The properties that every build must keep, on random models, by their numbers
// in the project's description of the mechanism. 9 is of training, 12 is
// TestGolden.

// kept returns a copy of an output that the next Fuse does not touch.
func kept(o *Output) Output {
	return Output{
		Slots: o.Slots, Z: slices.Clone(o.Z), Logits: slices.Clone(o.Logits), Probabilities: slices.Clone(o.Probabilities),
		Attention: slices.Clone(o.Attention), Region: slices.Clone(o.Region), Share: slices.Clone(o.Share),
	}
}

// Property 1: two modalities on their own rows, summed up, are the formula
// Z = AᵀX + (1 − A)ᵀV with A = σ(L₁ − L₂). The bound is that of float32 on it.
func TestTwoModalitiesAreTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, func(c *Config) {
			c.Align, c.Pool = alignIdentity, poolSum
			c.Modalities = append(c.Modalities, Modality{"b", 3, 2})[:2]
		})
		n := rapid.IntRange(1, min(s.config.Modalities[0].Regions, s.config.Modalities[1].Regions)).Draw(t, "T = N")
		s.input.rows = []int{n, n}
		out := fuse(t, s.model(t).NewState(), s.regions())

		d, G := s.config.Width, s.config.gateSize()
		X, V := exacts(s.aligned(t, 0)), exacts(s.aligned(t, 1))
		file := s.file()
		W, b := exacts(floats(t, file.Tensor("gate.weight"))), exacts(floats(t, file.Tensor("gate.bias")))
		gates := make([][]num, G) // A and 1 − A of one slot after the other
		for r := range n {
			xv := slices.Concat(X[r*d:(r+1)*d], V[r*d:(r+1)*d])
			for g := range G {
				l := []num{sum(b[g], xv, W[g*2*d:(g+1)*2*d]), sum(b[G+g], xv, W[(G+g)*2*d:(G+g+1)*2*d])}
				bound := softmaxOf(l, always(2))
				a := 1 / (1 + math.Exp(l[1].v-l[0].v))
				gates[g] = append(gates[g], num{a, bound[0].e}, num{1 - a, bound[1].e})
			}
		}
		for i, got := range out.Z {
			g, j := i/d, i%d
			if s.config.Gate == gateFeature {
				g = j
			}
			var xv []num
			for r := range n {
				xv = append(xv, X[r*d+j], V[r*d+j])
			}
			z := sum(num{}, gates[g], xv)
			require.InDelta(t, z.v, got, z.e, "Z %d", i)
		}
	})
}

// Property 2: A and the shares are at least 0 and sum to 1 over the modalities;
// and Ω sums to what its pool says.
func TestGatesAndSharesSumToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, anyConfig)
		c := &s.config
		out := fuse(t, s.model(t).NewState(), s.regions())
		R, M, G, S := c.slots(s.input.rows), len(c.Modalities), c.gateSize(), c.gateCount()
		require.Equal(t, R, out.Slots)
		require.Len(t, out.Attention, R*M*G)
		require.Len(t, out.Region, R*S)
		require.Len(t, out.Share, M)

		sumsTo := func(want float64, what string, terms []float32, roundings int) {
			total := 0.0
			for _, v := range terms {
				require.GreaterOrEqual(t, v, float32(0), what)
				total += float64(v)
			}
			require.InDelta(t, want, total, want*gamma(roundings), what)
		}
		for r := range R {
			for g := range G {
				at := out.Attention[r*M*G+g : (r+1)*M*G]
				terms := make([]float32, M)
				for m := range M {
					terms[m] = at[m*G]
					if s.input.rows[m] == 0 {
						require.Zero(t, terms[m])
					}
				}
				sumsTo(1, fmt.Sprintf("A of slot %d, gate %d", r, g), terms, M+12)
			}
		}
		sumsTo(1, "share", out.Share, R*G+M+R+24)
		for k := range S {
			weights := make([]float32, R)
			for r := range weights {
				weights[r] = out.Region[r*S+k]
			}
			if c.Pool == poolMean || c.Pool == poolAttention {
				sumsTo(1, "Ω", weights, R+12)
			} else {
				require.Equal(t, slices.Repeat([]float32{1}, R), weights)
			}
		}
	})
}

// Property 4: one modality alone has all of the gate, and Z = Ωᵀ U.
func TestOneModalityAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, anyConfig)
		c := &s.config
		alone := slices.IndexFunc(s.input.rows, func(n int) bool { return n > 0 })
		if c.Align == alignAnchor {
			alone = c.Index(c.Anchor)
		}
		for m := range s.input.rows {
			if m != alone {
				s.input.rows[m] = 0
			}
		}
		out := fuse(t, s.model(t).NewState(), s.regions())
		R, M, G, S, d := out.Slots, len(c.Modalities), c.gateSize(), c.gateCount(), c.Width
		gate := make([]float32, M*G)
		fill(gate[alone*G:(alone+1)*G], 1)
		require.Equal(t, slices.Repeat(gate, R), out.Attention)
		for m, share := range out.Share {
			require.InDelta(t, gate[m*G], share, gamma(R*G+R+24))
		}

		U, want := s.aligned(t, alone), kept(out)
		if c.Pool == poolNone {
			require.Equal(t, U, out.Z)
			return
		}
		for i := range want.Z {
			z := 0.0
			for r := range R {
				z += float64(out.Region[r*S+i/d]) * float64(U[r*d+i%d])
			}
			want.Z[i] = float32(z)
		}
		sameUpToRounding(t, &s, want, *out)
	})
}

// Property 5: modalities in another order, with their weights, permute A and the
// share and leave Z.
func TestModalitiesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, anyConfig)
		c := s.config
		M, G, d := len(c.Modalities), c.gateSize(), c.Width
		order := make([]int, M)
		for m := range order {
			order[m] = m
		}
		order = rapid.Permutation(order).Draw(t, "order")

		moved, in, movedIn := c, s.regions(), make([]Regions, M)
		moved.Modalities = make([]Modality, M)
		for i, m := range order {
			moved.Modalities[i], movedIn[i] = c.Modalities[m], in[m]
		}
		file := modelFile(moved, s.tensors())
		weight, bias := file.Tensor("gate.weight"), file.Tensor("gate.bias")
		w, b := floats(t, weight), floats(t, bias)
		var W, B []float32
		for _, m := range order {
			B = append(B, b[m*G:(m+1)*G]...)
			for g := range G {
				for _, l := range order {
					W = append(W, w[(m*G+g)*M*d+l*d:][:d]...)
				}
			}
		}
		*weight, *bias = safetensors.NewFloat32("gate.weight", W, M*G, M*d), safetensors.NewFloat32("gate.bias", B, M*G)

		want := kept(fuse(t, s.model(t).NewState(), in))
		got := fuse(t, parseModel(t, file).NewState(), movedIn)
		var share, A []float32
		for _, m := range order {
			share = append(share, want.Share[m])
		}
		for r := range want.Slots {
			for _, m := range order {
				A = append(A, want.Attention[(r*M+m)*G:][:G]...)
			}
		}
		want.Share, want.Attention = share, A
		sameUpToRounding(t, &s, want, *got)
	})
}

// Property 6: without positions the order of the rows of a modality does not
// matter under slots, nor for those that attend from the anchor.
func TestRowsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, func(c *Config) {
			if c.Align != alignAnchor {
				c.Align = alignSlots
			}
		})
		c := &s.config
		s.optional = slices.DeleteFunc(s.optional, func(name string) bool {
			modality, ok := strings.CutPrefix(name, "position.")
			return ok && (c.Align == alignSlots || modality != c.Anchor)
		})
		m, in := s.model(t), s.regions()
		want := kept(fuse(t, m.NewState(), in))
		moved := slices.Clone(in)
		for i, x := range in {
			if c.Align == alignAnchor && c.Modalities[i].Name == c.Anchor {
				continue
			}
			rows := make([]int, x.Rows)
			for r := range rows {
				rows[r] = r
			}
			moved[i].Data = nil
			for _, r := range rapid.Permutation(rows).Draw(t, "rows of "+c.Modalities[i].Name) {
				moved[i].Data = append(moved[i].Data, x.Data[r*x.Features:(r+1)*x.Features]...)
			}
		}
		sameUpToRounding(t, &s, want, *fuse(t, m.NewState(), moved))
	})
}

// sameUpToRounding holds two outputs of the same real function against each
// other. How far float32 may take them apart depends on the model, which may
// shrink an error or multiply it by a thousand; so the measure is what becomes of
// the output want when every weight and input changes by as little as roundings.
func sameUpToRounding(t require.TestingT, s *subject, want, got Output) {
	lists := func(o *Output) [][]float32 {
		return [][]float32{o.Z, o.Logits, o.Probabilities, o.Attention, o.Region, o.Share}
	}
	slack := make([]float64, len(lists(&want)))
	random := rand.New(rand.NewPCG(1, 7))
	nudge := func(values []float32) []float32 {
		nudged := make([]float32, len(values))
		for k, v := range values {
			nudged[k] = v * (1 + float32(random.IntN(3)-1)*0x1p-22)
		}
		return nudged
	}
	for range 4 {
		file, in := s.file(), s.regions()
		for i, tensor := range file.Tensors {
			file.Tensors[i] = safetensors.NewFloat32(tensor.Name, nudge(floats(t, &tensor)), tensor.Shape...)
		}
		for i := range in {
			in[i].Data = nudge(in[i].Data)
		}
		out := fuse(t, parseModel(t, file).NewState(), in)
		for i, values := range lists(out) {
			slack[i] = max(slack[i], deviation(values, lists(&want)[i]))
		}
	}
	for i, values := range lists(&got) {
		w := lists(&want)[i]
		require.Len(t, values, len(w))
		require.LessOrEqual(t, deviation(values, w), 8*slack[i]+1e-6*max(1, largest(w)),
			[]string{"Z", "logits", "probabilities", "A", "Ω", "share"}[i])
	}
}

// Property 7: nothing present is the named error, and so is an absent anchor; an
// error leaves no trace.
func TestNothingPresent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, anyConfig)
		c := &s.config
		m, in := s.model(t), s.regions()
		want := kept(fuse(t, m.NewState(), in))
		state := m.NewState()
		refused := func(in []Regions, kind error) {
			out, err := state.Fuse(in)
			require.Nil(t, out)
			require.ErrorIs(t, err, kind)
			require.ErrorIs(t, err, ErrInput)
		}

		refused(make([]Regions, len(in)), ErrAllAbsent)
		absent := slices.Clone(in) // with values that do not count
		for i := range absent {
			absent[i].Rows = 0
		}
		refused(absent, ErrAllAbsent)
		if c.Align == alignAnchor {
			without := slices.Clone(in)
			without[c.Index(c.Anchor)].Rows = 0
			kind := ErrAnchorAbsent
			if !slices.ContainsFunc(without, func(x Regions) bool { return x.Rows > 0 }) {
				kind = ErrAllAbsent
			}
			refused(without, kind)
		}
		file := &safetensors.File{}
		if rapid.Bool().Draw(t, "batch") {
			for _, modality := range c.Modalities {
				file.Tensors = append(file.Tensors, zeros(modality.Name, []int{2, 0, modality.Features}))
			}
		}
		_, err := state.FuseFile(file)
		require.ErrorIs(t, err, ErrAllAbsent)
		require.Equal(t, want, kept(fuse(t, state, in)))
	})
}
