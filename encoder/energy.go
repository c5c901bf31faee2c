package encoder

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// energy is the part of Σx² that lies in the band [lo, hi) hertz:
//
//	Σ_j |X_j|² / n,  X_j = Σ_i x_i e^(−2πi·ij/n),  over j in 0..⌊n/2⌋ with lo ≤ j·rate/n < hi
//
// for n samples taken as evenly spaced at rate = (n−1) / (time of the last − time
// of the first). Each frequency counts once: its mirror image above rate/2 is not
// added, so a sine of amplitude a in the middle of the band gives n·a²/4. The
// mean of the slice is frequency 0. A bin that lies on an edge of the band up to
// rounding counts as exactly on it; clocks are never exact, so edges are best put
// between bins, which are rate/n apart. Samples of one moment have no rate, and
// energy 0.
//
// The cost is n times the number of bins in the band.
func (s *samples) energy(lo, hi float64) float64 {
	n := len(s.x)
	span := s.t[n-1]
	if span <= 0 {
		return 0
	}
	bin := float64(n-1) / span / float64(n) // Hz
	var sum float64
	for j := firstBin(lo, bin, n); j < firstBin(hi, bin, n); j++ {
		sum += power(s.x, j)
	}
	return sum / float64(n)
}

// firstBin is the first of the bins 0..⌊n/2⌋ at or above a frequency, ⌊n/2⌋+1
// when there is none.
func firstBin(frequency, bin float64, n int) int {
	const rounding = 1e-9 // of a bin
	return int(min(math.Ceil(frequency/bin-rounding), float64(n/2+1)))
}

// power is |X_j|² of the discrete Fourier transform of x. The phase is turned
// from one sample to the next by a complex product, whose error grows to no more
// than n·2⁻⁵².
func power(x []float64, j int) float64 {
	stepIm, stepRe := math.Sincos(-2 * math.Pi * float64(j) / float64(len(x)))
	re, im := 1.0, 0.0
	var sumRe, sumIm float64
	for _, v := range x {
		sumRe += float64(v * re)
		sumIm += float64(v * im)
		re, im = float64(re*stepRe)-float64(im*stepIm), float64(re*stepIm)+float64(im*stepRe)
	}
	return float64(sumRe*sumRe) + float64(sumIm*sumIm)
}

// parseBand reads "0.5-3Hz".
func parseBand(text string) (lo, hi float64, err error) {
	low, high, ok := strings.Cut(strings.TrimSuffix(text, "Hz"), "-")
	if !ok || !strings.HasSuffix(text, "Hz") {
		return 0, 0, errors.New("want two frequencies as in energy:0.5-3Hz")
	}
	if lo, err = parseHertz(low); err != nil {
		return 0, 0, err
	}
	if hi, err = parseHertz(high); err != nil {
		return 0, 0, err
	}
	if lo >= hi {
		return 0, 0, fmt.Errorf("%s is not below %s", low, high)
	}
	return lo, hi, nil
}

// parseHertz reads a plain decimal, without sign or exponent.
func parseHertz(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is no frequency", text)
	}
	return v, nil
}
