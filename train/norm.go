package train

import (
	"math"

	"github.com/ragedge/ragedge"
)

// layerNorm is ragedge.LayerNorm with what its backward step needs.
type layerNorm struct {
	weight, bias   []float32 // [d]
	dWeight, dBias []float32
	normal         []float32 // (x − mean) / deviation [n, d]
	inverse        []float32 // 1 / deviation [n]
	plain          []float32 // [d], all 0: the bias of normal
	slope          []float32 // [d], of one row of normal
	work           *workspace
}

func (p *pass) layerNorm(name string, rows int) layerNorm {
	d := p.net.Config.Width
	p.needs(rows, 1, 1)
	return layerNorm{
		weight: p.weight(name + ".weight"), bias: p.weight(name + ".bias"),
		dWeight: p.gradient(name + ".weight"), dBias: p.gradient(name + ".bias"),
		normal: p.take(rows * d), inverse: p.take(rows), plain: p.take(d), slope: p.take(d), work: &p.work,
	}
}

// forward sets y to the normalised rows of x [n, d]; y may be x.
func (l *layerNorm) forward(y, x []float32) {
	d := len(l.weight)
	ones := l.work.ones[:d]
	ragedge.LayerNorm(l.normal[:len(x)], x, ones, l.plain)
	for i := range len(x) / d {
		row := x[i*d : (i+1)*d]
		l.inverse[i] = inverseDeviation(row, ragedge.Dot(row, ones)/float32(d))
	}
	ragedge.LayerNorm(y, x, l.weight, l.bias)
}

// inverseDeviation returns 1/√(variance + 1e-5) of a row with that mean. Four sums, so
// that none waits for the one before it.
func inverseDeviation(row []float32, mean float32) float32 {
	var a, b, c, d float32
	n := float64(len(row))
	for ; len(row) >= 4; row = row[4:] {
		p, q, r, s := row[0]-mean, row[1]-mean, row[2]-mean, row[3]-mean
		a += p * p
		b += q * q
		c += r * r
		d += s * s
	}
	for _, v := range row {
		a += (v - mean) * (v - mean)
	}
	return float32(1 / math.Sqrt(float64(a+b+c+d)/n+1e-5))
}

// backward adds the gradient of x to dx, which may not be dy.
func (l *layerNorm) backward(dx, dy []float32) {
	d := len(l.weight)
	n := len(dy) / d
	clear(l.dBias)
	clear(l.dWeight)
	ragedge.GatedSum(l.dBias, l.work.ones[:n], dy)
	ones, slope := l.work.ones[:d], l.slope
	for i := range n {
		normal, from := l.normal[i*d:(i+1)*d], dy[i*d:(i+1)*d]
		weight, dWeight := l.weight[:len(from)], l.dWeight[:len(from)]
		slope, normal := slope[:len(from)], normal[:len(from)]
		for j, v := range from {
			slope[j] = v * weight[j]
			dWeight[j] += v * normal[j]
		}
		mean, along := ragedge.Dot(slope, ones)/float32(d), ragedge.Dot(slope, normal)/float32(d)
		inverse, to := l.inverse[i], dx[i*d:(i+1)*d]
		to = to[:len(slope)]
		for j, v := range slope {
			to[j] += (v - mean - normal[j]*along) * inverse
		}
	}
}
