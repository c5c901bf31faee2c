package sensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/ragedge/ragedge/encoder"
)

// hearing makes readings of frames of sound. It allocates nothing per frame.
type hearing struct {
	bytes    []byte // of a frame, S16_LE
	x        []float64
	spectrum *encoder.Spectrum // nil when nobody asks for bands or mels
	bands    []encoder.Band
	mel      *encoder.Mel
}

// newHearing prepares for the frames of c, which has its defaults. Its errors are
// keyErrors.
func newHearing(c *Config) (*hearing, error) {
	frame := int(int64(c.Rate) * int64(c.Interval) / int64(time.Second))
	h := &hearing{bytes: make([]byte, 2*frame), x: make([]float64, frame)}
	if len(c.Bands) == 0 && c.Mels == 0 {
		return h, nil
	}
	var err error
	if h.spectrum, err = encoder.NewSpectrum(frame, c.Rate); err != nil {
		return nil, &keyError{"interval", err}
	}
	for _, text := range c.Bands {
		b, err := encoder.ParseBand(text)
		switch {
		case err != nil:
			return nil, &keyError{"bands", fmt.Errorf(`%.40q is not two frequencies as in "125-250Hz": %w`, text, err)}
		case b.High > float64(c.Rate)/2:
			return nil, &keyError{"bands", fmt.Errorf("%s: at a rate of %d Hz there is nothing above %d Hz", text, c.Rate, c.Rate/2)}
		case b.High-b.Low < h.spectrum.Bin():
			return nil, &keyError{"bands", fmt.Errorf("%s: narrower than the %.3g Hz that frames of %v tell apart", text, h.spectrum.Bin(), c.Interval.Std())}
		}
		h.bands = append(h.bands, b)
	}
	if c.Mels != 0 {
		if h.mel, err = encoder.NewMel(c.Mels, h.spectrum); err != nil {
			return nil, &keyError{"mels", err}
		}
	}
	return h, nil
}

// measure fills in values from the frame in bytes, in the order of the readings.
// The frame's mean is taken off first, since cheap converters have an offset; the
// peak is that of the samples as they came. Silence is encoder.Floor.
func (h *hearing) measure(values []float64) {
	var sum, peak float64
	for i := range h.x {
		v := float64(int16(binary.LittleEndian.Uint16(h.bytes[2*i:]))) / (1 << 15)
		h.x[i] = v
		sum += v
		peak = max(peak, math.Abs(v))
	}
	mean := sum / float64(len(h.x))
	var power float64
	for i, v := range h.x {
		v -= mean
		h.x[i] = v
		power += float64(v * v)
	}
	values[0] = encoder.Decibels(power / float64(len(h.x)))
	values[1] = encoder.Decibels(float64(peak * peak))
	if h.spectrum == nil {
		return
	}
	h.spectrum.Frame(h.x)
	values = values[2:]
	for i, b := range h.bands {
		values[i] = encoder.Decibels(h.spectrum.Energy(b))
	}
	if h.mel != nil {
		mels := values[len(h.bands):]
		h.mel.Apply(h.spectrum.Power, mels)
		for i := range mels {
			mels[i] = encoder.Decibels(mels[i])
		}
	}
}
