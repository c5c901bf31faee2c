package train

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// TestGradientsAreSlopes compares the gradient of every tensor, for every strategy, score,
// alignment, gate, pool and mask, with differences of the float64 oracle along random
// directions: within 1e-4 of the size of gradient and direction.
func TestGradientsAreSlopes(t *testing.T) {
	configs := everyConfig()
	require.Greater(t, len(configs), 200)
	checked, kinks, worst := 0, 0, 0.0
	for i, c := range configs {
		if testing.Short() && i%20 != 0 {
			continue
		}
		t.Run(configName(c), func(t *testing.T) {
			n, k, w := slopes(t, c, uint64(i))
			checked, kinks, worst = checked+n, kinks+k, max(worst, w)
		})
	}
	t.Logf("%d slopes, the worst is off by %.2g of what is allowed; %d kinks", checked, worst, kinks)
	require.LessOrEqual(t, kinks, checked/1000)
}

func slopes(t *testing.T, c fusion.Config, seed uint64) (checked, kinks int, worst float64) {
	random := rand.New(rand.NewPCG(seed, 3))
	parameters := randomParameters(t, c, seed, seed%4 < 2)
	o, p := newOracle(parameters), newPass(newNetwork(parameters), 1)
	for k, rows := range presence {
		if k%2 != int(seed)%2 {
			continue // half of the masks for every config
		}
		in := randomRegions(random, c, rows)
		enter(p, [][]fusion.Regions{in})
		p.forward()
		want := o.run(in)
		got := p.output()
		require.Len(t, got, len(want))
		size := 0.0
		for _, v := range want {
			size = max(size, math.Abs(v))
		}
		cotangent := make([]float32, len(want))
		for j, v := range want {
			require.InDelta(t, v, got[j], 2e-5*size)
			cotangent[j] = float32(random.NormFloat64())
		}
		give(p, cotangent)
		p.backward()
		most := 0.0
		for _, tensor := range parameters.tensors {
			most = max(most, norm(p.gradient(tensor.name)))
		}
		for _, tensor := range parameters.tensors {
			gradient := p.gradient(tensor.name)
			if !trainedBy(c, tensor.name, in) {
				require.Zero(t, largest(gradient), "%s belongs to an absent modality", tensor.name)
				continue
			}
			direction := make([]float32, tensor.size)
			for j := range direction {
				direction[j] = float32(random.NormFloat64())
			}
			slope := o.slope(in, tensor.name, doubles(direction), doubles(cotangent), 1e-5)
			along := inner(doubles(gradient), doubles(direction))
			allowed := 1e-4 * max(norm(gradient), 0.01*most) * max(1, norm(direction)/math.Sqrt(float64(tensor.size)))
			if math.Abs(slope-along) > allowed+1e-9 {
				// Two steps that disagree have the kink of a relu between them.
				narrow := o.slope(in, tensor.name, doubles(direction), doubles(cotangent), 1e-6)
				if math.Abs(slope-narrow) > 1e-6*max(1, math.Abs(slope)) {
					kinks++
					continue
				}
			}
			require.InDelta(t, slope, along, allowed+1e-9, tensor.name)
			checked, worst = checked+1, max(worst, math.Abs(slope-along)/(allowed+1e-9))
		}
	}
	return checked, kinks, worst
}

// output is what forward computed.
func (p *pass) output() []float32 {
	c := &p.net.Config
	switch {
	case c.Head.Task != "embed":
		return p.head.logits[:p.batch.size*c.Head.Outputs]
	case c.Pool == "none":
		return p.pool.z[:p.batch.slots*c.Width]
	}
	return p.pool.z[:p.batch.size*c.Width*p.pool.S]
}

func norm(x []float32) float64 { return math.Sqrt(inner(doubles(x), doubles(x))) }

// TestEveryTensorIsTrained finds a gradient for every tensor that can change the result;
// with rows that are there in part, the positions of the others have none.
func TestEveryTensorIsTrained(t *testing.T) {
	for i, c := range everyConfig() {
		if testing.Short() && i%20 != 0 {
			continue
		}
		random := rand.New(rand.NewPCG(uint64(i), 4))
		parameters := randomParameters(t, c, uint64(i), true)
		const examples = 6 // enough of them that no relu is 0 for all
		p := newPass(newNetwork(parameters), examples)
		p.enter(randomRegions(random, c, []int{3, 4, 3}))
		for range examples - 1 {
			p.enter(randomRegions(random, c, []int{3, 3, 2}))
		}
		p.forward()
		cotangent := make([]float32, len(p.output()))
		for j := range cotangent {
			cotangent[j] = float32(random.NormFloat64())
		}
		copy(p.pool.dz, cotangent)
		copy(p.head.dLogits, cotangent)
		p.backward()
		for _, tensor := range parameters.tensors {
			if strings.HasSuffix(tensor.name, "attention.key.bias") {
				continue // a constant added to all scores of a row changes nothing
			}
			require.NotZero(t, largest(p.gradient(tensor.name)), "%s of %s", tensor.name, configName(c))
		}
		d := c.Width
		require.Zero(t, largest(p.gradient("position.a")[3*d:]))
		require.Zero(t, largest(p.gradient("position.b")[4*d:]))
		require.NotZero(t, largest(p.gradient("position.b")[3*d:4*d]))
	}
}

// TestBatchIsTheSum compares the gradient of a batch with the sum of those of its
// examples, on every kernel set.
func TestBatchIsTheSum(t *testing.T) {
	everySet(t, func(t *testing.T) {
		for i, c := range everyConfig() {
			if i%20 != 0 && testing.Short() {
				continue
			}
			random := rand.New(rand.NewPCG(uint64(i), 5))
			parameters := randomParameters(t, c, uint64(i), true)
			net := newNetwork(parameters)
			together, alone := newPass(net, len(presence)), newPass(net, 1)
			var examples [][]fusion.Regions
			for _, rows := range presence {
				examples = append(examples, randomRegions(random, c, rows))
			}
			sum, outputs := make([]float32, len(parameters.values)), []float32(nil)
			for range 2 { // the second time with the buffers of the first
				enter(together, examples)
				together.forward()
				copy(together.pool.dz, together.pool.z)
				copy(together.head.dLogits, together.head.logits)
				together.backward()
			}
			for _, example := range examples {
				enter(alone, [][]fusion.Regions{example})
				alone.forward()
				outputs = append(outputs, alone.output()...)
				copy(alone.pool.dz, alone.pool.z)
				copy(alone.head.dLogits, alone.head.logits)
				alone.backward()
				addTo(sum, alone.grad)
			}
			require.Equal(t, outputs, together.output(), configName(c))
			require.LessOrEqual(t, deviation(together.grad, sum), 1e-5*largest(sum), configName(c))
		}
	})
}
