package encoder

import (
	"fmt"
	"math"
)

// Spectrum is the power of evenly spaced samples by frequency: the mean over
// stretches of the frame that overlap by half or more (Welch), each under a Hann
// window. It is scaled so that the power of all bins adds up to the mean square
// of the samples, but for what the window leaves out at the ends of the frame.
//
// It allocates nothing after NewSpectrum. A Spectrum is for one goroutine.
type Spectrum struct {
	fft       *FFT
	window    []float64
	scale     float64
	bin       float64 // Hz
	frame     int
	stretches int
	re, im    []float64
	// Power of bin j, which is j·Bin hertz, of the last frame.
	Power []float64
}

// NewSpectrum returns the spectrum of frames of so many samples, taken at rate
// hertz. A stretch is the largest power of two that fits into the frame and into
// a tenth of a second, which makes bins of about 10 to 20 Hz.
func NewSpectrum(frame, rate int) (*Spectrum, error) {
	size := 2
	for 2*size <= frame && 2*size <= max(rate/10, 2) && 2*size <= MaxFFT {
		size *= 2
	}
	if frame < size || rate < 1 {
		return nil, fmt.Errorf("frames of %d samples at %d Hz have no spectrum", frame, rate)
	}
	fft, err := NewFFT(size)
	if err != nil {
		return nil, err
	}
	s := &Spectrum{
		fft: fft, frame: frame, bin: float64(rate) / float64(size),
		window: make([]float64, size), re: make([]float64, size), im: make([]float64, size),
		Power: make([]float64, size/2+1),
	}
	s.stretches = 1 + (frame-size+size/2-1)/(size/2)
	var sum float64
	for i := range s.window {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(size))
		s.window[i] = w
		sum += float64(w * w)
	}
	s.scale = 1 / (float64(size) * sum * float64(s.stretches))
	return s, nil
}

// Bin is the distance between two bins in hertz.
func (s *Spectrum) Bin() float64 { return s.bin }

// Frame computes Power of a frame, which has as many samples as NewSpectrum was
// told.
func (s *Spectrum) Frame(x []float64) {
	x = x[:s.frame]
	clear(s.Power)
	size := len(s.window)
	for k := range s.stretches {
		begin := 0
		if k > 0 {
			begin = k * (s.frame - size) / (s.stretches - 1)
		}
		for i, w := range s.window {
			s.re[i], s.im[i] = float64(x[begin+i]*w), 0
		}
		s.fft.Transform(s.re, s.im)
		for j := range s.Power {
			p := float64(s.re[j]*s.re[j]) + float64(s.im[j]*s.im[j])
			if j > 0 && j < size/2 {
				p *= 2 // and its mirror image
			}
			s.Power[j] += float64(p * s.scale)
		}
	}
}

// Band is a range of frequencies, [Low, High) hertz.
type Band struct{ Low, High float64 }

// ParseBand reads "125-250Hz".
func ParseBand(text string) (Band, error) {
	low, high, err := parseBand(text)
	return Band{low, high}, err
}

// Energy is the power in a band: the sum of its bins, of which there may be none.
func (s *Spectrum) Energy(b Band) float64 {
	last := len(s.Power) - 1
	var sum float64
	for j := firstBin(b.Low, s.bin, 2*last); j < firstBin(b.High, s.bin, 2*last); j++ {
		sum += s.Power[j]
	}
	return sum
}

// Floor is what Decibels makes of silence: less than the steps of 16 bits.
const Floor = -120

// Decibels is 10·log10 of a power, and Floor for what is less, 0 above all.
func Decibels(power float64) float64 {
	if !(power > 1e-12) {
		return Floor
	}
	return 10 * math.Log10(power)
}
