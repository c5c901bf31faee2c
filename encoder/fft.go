package encoder

import (
	"fmt"
	"math"
	"math/bits"
)

// MaxFFT is the largest transform: 0.34 s of sound at 192 kHz.
const MaxFFT = 1 << 16

// FFT is the discrete Fourier transform of one length, a power of two, by halves
// (Cooley and Tukey, radix 2). It allocates nothing after NewFFT and may be used
// by many goroutines.
type FFT struct {
	swaps    [][2]int // what reverses the bits of an index
	cos, sin []float64
}

// NewFFT returns the transform of n values, a power of two from 2 to MaxFFT.
func NewFFT(n int) (*FFT, error) {
	if n < 2 || n > MaxFFT || n&(n-1) != 0 {
		return nil, fmt.Errorf("a transform of %d values: not a power of two from 2 to %d", n, MaxFFT)
	}
	f := &FFT{cos: make([]float64, n/2), sin: make([]float64, n/2)}
	for k := range f.cos {
		f.sin[k], f.cos[k] = math.Sincos(-2 * math.Pi * float64(k) / float64(n))
	}
	shift := bits.UintSize - bits.TrailingZeros(uint(n))
	for i := range n {
		if j := int(bits.Reverse(uint(i)) >> shift); i < j {
			f.swaps = append(f.swaps, [2]int{i, j})
		}
	}
	return f, nil
}

// Transform replaces x = re + i·im, of the transform's length, by
// X_j = Σ_k x_k e^(−2πi·jk/n).
func (f *FFT) Transform(re, im []float64) {
	n := 2 * len(f.cos)
	re, im = re[:n], im[:n]
	for _, s := range f.swaps {
		i, j := s[0], s[1]
		re[i], re[j] = re[j], re[i]
		im[i], im[j] = im[j], im[i]
	}
	for half := 1; half < n; half *= 2 {
		step := n / (2 * half) // between the angles of this stage
		for begin := 0; begin < n; begin += 2 * half {
			for k := range half {
				a, b := begin+k, begin+k+half
				c, s := f.cos[k*step], f.sin[k*step]
				// Each product rounds before it is added: see function.
				r := float64(re[b]*c) - float64(im[b]*s)
				i := float64(re[b]*s) + float64(im[b]*c)
				re[a], re[b] = re[a]+r, re[a]-r
				im[a], im[b] = im[a]+i, im[a]-i
			}
		}
	}
}
