package sensor

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"math"
	"time"
)

// Motion is told from the means of so many patches, which noise and a leaf do not
// move.
const (
	motionRows    = 12
	motionColumns = 16
)

// maxPixels bounds what is decoded: 1920 × 1080 is just below.
const maxPixels = 1 << 21

// sight makes readings of pictures, in the order of cameraReadings, and leaves out
// most of them: those that come before the next reading is due.
type sight struct {
	rows, columns int
	interval      time.Duration
	due           time.Duration
	// The patches of this picture and the last, for motion.
	now, before [motionRows * motionColumns]float64
	seen        bool
}

func newSight(c *Config) *sight {
	s := &sight{interval: c.Interval.Std()}
	s.rows, s.columns, _ = parseGrid(c.Grid) // checked
	return s
}

// wants says whether the picture that came at a moment is one to look at. A camera
// is never exact, so a little early is in time.
func (s *sight) wants(at time.Duration) bool {
	if at < s.due-s.interval/8 {
		return false
	}
	if s.due += s.interval; s.due <= at {
		s.due = at + s.interval
	}
	return true
}

// decode returns the brightness of a JPEG, whose memory is new.
func (s *sight) decode(data []byte) (luma, error) {
	size, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return luma{}, fmt.Errorf("a picture that is no JPEG: %w", err)
	}
	if size.Width*size.Height > maxPixels {
		return luma{}, fmt.Errorf("a picture of %d × %d pixels: 1920 × 1080 are the most; ask the camera for fewer", size.Width, size.Height)
	}
	picture, err := jpeg.Decode(jpegReader(data))
	if err != nil {
		return luma{}, fmt.Errorf("a picture that is no JPEG: %w", err)
	}
	return lumaOf(picture)
}

// see fills in values. The first picture has no motion: NaN.
func (s *sight) see(p Picture, values []float64) (err error) {
	l := p.luma
	if p.JPEG != nil {
		if l, err = s.decode(p.JPEG); err != nil {
			return err
		}
	}
	if err := l.check(); err != nil {
		return err
	}
	l.patches(1, 1, values)
	l.patches(motionRows, motionColumns, s.now[:])
	values[1] = math.NaN()
	if s.seen {
		var sum float64
		for i, v := range s.now {
			sum += math.Abs(v - s.before[i])
		}
		values[1] = sum / float64(len(s.now))
	}
	s.before, s.seen = s.now, true
	l.patches(s.rows, s.columns, values[2:])
	return nil
}
