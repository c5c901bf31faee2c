package fusion

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// The properties that every build must keep, on random models.

// kept returns a copy of an output that the next Fuse does not touch.
func kept(o *Output) Output {
	return Output{
		Slots: o.Slots, Z: slices.Clone(o.Z), Logits: slices.Clone(o.Logits), Probabilities: slices.Clone(o.Probabilities),
		Attention: slices.Clone(o.Attention), Region: slices.Clone(o.Region), Share: slices.Clone(o.Share),
	}
}

func near(t *testing.T, want, got []float32, tolerance float64) {
	t.Helper()
	require.Len(t, got, len(want))
	require.LessOrEqual(t, deviation(got, want), tolerance*max(1, largest(want)))
}

// Two modalities are the formula: Z = AᵀX + (1 − A)ᵀV with A = σ(L₁ − L₂).
func TestTwoModalitiesAreTheFormula(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		d, n, gates := 2+random.IntN(18), 1+random.IntN(11), 1+random.IntN(5)
		c := baseConfig(Modality{"x", n, d}, Modality{"v", n, d})
		c.Width, c.Projection, c.Norm, c.Gates = d, projectNone, false, gates
		tensors := randomTensors(random, c)
		m := parseModel(t, modelFile(c, tensors))
		in := randomRows(seed, c, n, n)
		out := fuse(t, m.NewState(), in)

		file := safetensors.File{Tensors: tensors}
		W, b := floats(t, file.Tensor("gate.weight")), floats(t, file.Tensor("gate.bias"))
		want := make([]float64, gates*d)
		for r := range n {
			x, v := in[0].Data[r*d:(r+1)*d], in[1].Data[r*d:(r+1)*d]
			for s := range gates {
				logit := func(row int) float64 {
					l := float64(b[row])
					for j := range d {
						l += float64(W[row*2*d+j])*float64(x[j]) + float64(W[row*2*d+d+j])*float64(v[j])
					}
					return l
				}
				a := 1 / (1 + math.Exp(logit(gates+s)-logit(s)))
				for j := range d {
					want[s*d+j] += a*float64(x[j]) + (1-a)*float64(v[j])
				}
			}
		}
		most := 0.0
		for _, w := range want {
			most = max(most, math.Abs(w))
		}
		for i, w := range want {
			require.InDelta(t, w, out.Z[i], 1e-5*most)
		}
	}
}

func TestGatesAndSharesSumToOne(t *testing.T) {
	for i, c := range everyConfig() {
		m := randomModel(t, uint64(i), c, everything...)
		s := m.NewState()
		for _, rows := range presence {
			if rows[0] == 0 && c.Align == alignAnchor {
				continue
			}
			out := fuse(t, s, randomRows(uint64(i), c, rows...))
			M, G, S := 3, c.gateSize(), c.gateCount()
			require.Len(t, out.Attention, out.Slots*M*G)
			for r := range out.Slots {
				for g := range G {
					total := 0.0
					for k := range M {
						a := out.Attention[(r*M+k)*G+g]
						require.GreaterOrEqual(t, a, float32(0))
						if rows[k] == 0 {
							require.Zero(t, a)
						}
						total += float64(a)
					}
					require.InDelta(t, 1, total, 1e-6)
				}
			}
			total := 0.0
			for k, share := range out.Share {
				if rows[k] == 0 {
					require.Zero(t, share)
				}
				total += float64(share)
			}
			require.InDelta(t, 1, total, 2e-6)
			for k := range S {
				total := 0.0
				for r := range out.Slots {
					total += float64(out.Region[r*S+k])
				}
				switch c.Pool {
				case poolMean, poolAttention:
					require.InDelta(t, 1, total, 1e-6)
				default:
					require.Equal(t, float64(out.Slots), total)
				}
			}
		}
	}
}

// What lies beyond the valid rows, and what a State computed before, must not
// reach one bit of the output.
func TestOnlyValidRowsCount(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for i, c := range everyConfig() {
		m := randomModel(t, uint64(i), c, everything...)
		used := m.NewState()
		for _, rows := range presence {
			in := randomRows(uint64(i), c, rows...)
			want := kept(fuse(t, m.NewState(), in))
			for _, padding := range []float32{0, -7.5e8, nan, inf} {
				fuse(t, used, randomRows(99, c, 4, 5, 3)) // leaves all buffers full
				padded := slices.Clone(in)
				for k, modality := range c.Modalities {
					data := slices.Clone(in[k].Data)
					for len(data) < modality.Regions*modality.Features {
						data = append(data, padding)
					}
					padded[k].Data = data
				}
				require.Equal(t, want, kept(fuse(t, used, padded)), configName(c))
			}
		}
	}
}

// One modality alone has all of the gate, and Z = Ωᵀ U.
func TestOneModalityAlone(t *testing.T) {
	for i, c := range everyConfig() {
		if c.Pool == poolNone {
			continue
		}
		s := randomModel(t, uint64(i), c, everything...).NewState()
		out := fuse(t, s, randomRows(uint64(i), c, 4, 0, 0))
		M, G, S, d := 3, c.gateSize(), c.gateCount(), c.Width
		for r := range out.Slots {
			for g := range G {
				require.Equal(t, float32(1), out.Attention[r*M*G+g])
			}
		}
		near(t, []float32{1, 0, 0}, out.Share, 1e-6)
		want := make([]float32, S*d)
		for k := range S {
			for j := range d {
				z := 0.0
				for r := range out.Slots {
					z += float64(out.Region[r*S+k]) * float64(s.aligned(0).row(r, d)[j])
				}
				want[k*d+j] = float32(z)
			}
		}
		near(t, want, out.Z, 1e-6)
	}
}

// Modalities in another order, with their weights, permute A and the share and
// leave Z.
func TestModalitiesInAnyOrder(t *testing.T) {
	order := []int{2, 0, 1}
	for i, c := range everyConfig() {
		tensors := randomTensors(rand.New(rand.NewPCG(uint64(i), 1)), c, everything...)
		m := parseModel(t, modelFile(c, tensors))
		M, G, d := 3, c.gateSize(), c.Width

		moved := c
		moved.Modalities = nil
		for _, k := range order {
			moved.Modalities = append(moved.Modalities, c.Modalities[k])
		}
		file := modelFile(moved, slices.Clone(tensors))
		weight, bias := file.Tensor("gate.weight"), file.Tensor("gate.bias")
		w, b := floats(t, weight), floats(t, bias)
		var W, B []float32
		for _, k := range order {
			B = append(B, b[k*G:(k+1)*G]...)
			for g := range G {
				for _, l := range order {
					W = append(W, w[(k*G+g)*M*d+l*d:][:d]...)
				}
			}
		}
		*weight, *bias = safetensors.NewFloat32("gate.weight", W, M*G, M*d), safetensors.NewFloat32("gate.bias", B, M*G)

		in := randomRows(uint64(i), c, 3, 5, 2)
		want := fuse(t, m.NewState(), in)
		got := fuse(t, parseModel(t, file).NewState(), []Regions{in[2], in[0], in[1]})
		near(t, want.Z, got.Z, 1e-5)
		near(t, []float32{want.Share[2], want.Share[0], want.Share[1]}, got.Share, 1e-5)
		var A []float32
		for r := range want.Slots {
			for _, k := range order {
				A = append(A, want.Attention[(r*M+k)*G:][:G]...)
			}
		}
		near(t, A, got.Attention, 1e-5)
	}
}

// Without positions the order of the rows of a modality does not matter under
// slots, nor for those that attend from an anchor.
func TestRowsInAnyOrder(t *testing.T) {
	for i, c := range everyConfig() {
		if c.Align != alignSlots && c.Align != alignAnchor {
			continue
		}
		s := randomModel(t, uint64(i), c, "input", "modality", "align").NewState()
		in := randomRows(uint64(i), c, 4, 5, 3)
		want := kept(fuse(t, s, in))
		for k, order := range map[int][]int{1: {3, 0, 4, 1, 2}, 2: {2, 1, 0}} {
			var data []float32
			for _, r := range order {
				data = append(data, in[k].Data[r*in[k].Features:][:in[k].Features]...)
			}
			in[k].Data = data
		}
		near(t, want.Z, fuse(t, s, in).Z, 1e-5)
	}
}

func TestNothingPresent(t *testing.T) {
	for _, c := range everyConfig() {
		s := randomModel(t, 1, c).NewState()
		_, err := s.Fuse(make([]Regions, 3))
		require.ErrorIs(t, err, ErrAllAbsent)
		_, err = s.Fuse(randomRows(1, c, 0, 0, 0))
		require.ErrorIs(t, err, ErrAllAbsent)
		if c.Align == alignAnchor {
			_, err = s.Fuse(randomRows(1, c, 0, 5, 3))
			require.ErrorIs(t, err, ErrAnchorAbsent)
			require.ErrorContains(t, err, "anchor absent: a")
		}
	}
}

// A batch gives the bits of the single runs, and zeros in the slots that an
// example does not have.
func TestBatchHasTheBitsOfSingleRuns(t *testing.T) {
	batches := 0
	for _, name := range goldenCases(t) {
		m, input := loadGolden(t, name), readGolden(t, name, "input")
		single := examples(t, m, input)
		if len(input.Tensors[0].Shape) == 2 {
			continue
		}
		batches++
		batch, err := m.NewState().FuseFile(input)
		require.NoError(t, err)
		for i, in := range single {
			out := fuse(t, m.NewState(), in)
			for tensor, want := range map[string][]float32{
				"z": out.Z, "logits": out.Logits, "probabilities": out.Probabilities,
				"attention": out.Attention, "region": out.Region, "share": out.Share,
			} {
				if want == nil {
					require.Nil(t, batch.Tensor(tensor))
					continue
				}
				all := floats(t, batch.Tensor(tensor))
				n := len(all) / len(single)
				got := all[i*n : (i+1)*n]
				require.Equal(t, want, got[:len(want)], "%s of example %d", tensor, i)
				require.Equal(t, make([]float32, n-len(want)), got[len(want):], "%s of example %d", tensor, i)
			}
		}
	}
	require.GreaterOrEqual(t, batches, 8)
}
