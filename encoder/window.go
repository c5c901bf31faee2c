package encoder

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// maxTime bounds the moments of a timeline, ±73 years from its origin, so that
// differences never overflow. A sample beyond it counts as at the bound.
const maxTime = 1 << 61

// Window turns the samples of a modality's channels into its regions. At time T,
// slice k = 0..regions−1 covers (T−(k+1)·every, T−k·every]; row k of the regions
// describes slice k, so row 0 is the newest, and rows end at the first slice that
// is empty. A slice needs every channel: the samples in it or, with FillHold, the
// newest earlier sample, if that is no older than StaleAfter at the slice's end.
// A row holds the functions of the first channel, then those of the second:
//
//	last mean min max range   range = max − min
//	median                    of an even number: the mean of the middle two
//	std                       of the population
//	slope                     least squares, per second; 0 for samples of one moment
//	rms                       √(Σx²/n)
//	count                     samples in the slice
//	crossings                 changes of sign about the mean of the slice
//	energy:0.5-3Hz            Σ|X_j|²/n of the discrete Fourier transform over the
//	                          j in 0..⌊n/2⌋ with 0.5 ≤ j·rate/n < 3, samples taken
//	                          as evenly spaced at rate = (n−1)/(last − first time)
//
// A held sample is the slice's only one, with count 0. With Baseline the functions
// see each sample less the median of its channel's samples in (t−W, t], where t
// is its time and W is BaselineWindow.
//
// Samples may come in any order; those of one moment all count, in the order in
// which they came. Samples after T have no effect at T. A value beyond ±MaxFloat32
// counts as that, and so does a feature: finite samples give finite features. NaN
// and infinities are for the caller to keep out; they pass through the arithmetic.
//
// Regions must be asked for at times that do not go back: what no later time can
// need is forgotten. A Window is for one goroutine, but for Dropped.
type Window struct {
	regions           int
	width             int
	every, staleAfter time.Duration
	hold              bool
	keep              time.Duration // a sample this old at the newest T matters no more

	index     map[string]int
	channels  []channel
	functions []function
	samples   samples // scratch

	newest  time.Duration // the newest T
	dropped atomic.Int64
}

// channel is one channel's samples and, if it has one, its baseline.
type channel struct {
	series
	baseline *baseline
}

// NewWindow returns the window of d, after defaults and checks as for a modality
// of Features. The encoder must be Windowed.
func NewWindow(d Definition) (*Window, error) {
	d = d.withDefaults()
	if key, err := d.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	if d.Encoder != Windowed {
		return nil, fmt.Errorf("encoder: %q has no window", d.Encoder)
	}
	w := &Window{
		regions:    d.Regions,
		width:      d.Width(),
		every:      d.Every.Std(),
		staleAfter: d.StaleAfter.Std(),
		hold:       d.Fill == FillHold,
		keep:       time.Duration(d.Regions)*d.Every.Std() + d.BaselineWindow.Std(),
		index:      make(map[string]int, len(d.Channels)),
		channels:   make([]channel, len(d.Channels)),
		newest:     math.MinInt64,
	}
	if w.hold {
		w.keep += w.staleAfter
	}
	for i, name := range d.Channels {
		w.index[name] = i
		if d.Baseline {
			w.channels[i].baseline = &baseline{window: d.BaselineWindow.Std()}
		}
	}
	for _, name := range d.Functions {
		f, err := parseFunction(name)
		if err != nil {
			return nil, fmt.Errorf("functions: %w", err)
		}
		w.functions = append(w.functions, f)
	}
	return w, nil
}

// Add takes a sample in. It is false when the sample is of none of the window's
// channels.
func (w *Window) Add(s Sample) bool {
	i, ok := w.index[s.Channel]
	if !ok {
		return false
	}
	c := &w.channels[i]
	p := point{at: max(-maxTime, min(s.At, maxTime)), raw: toFloat32Range(s.Value)}
	if c.n > 0 && p.at < c.at(0).at && (c.n == maxSamples || w.passed(p.at, c.at(0).at)) {
		if c.n == maxSamples {
			w.dropped.Add(1)
		}
		return true
	}
	if c.n == maxSamples {
		c.drop()
		w.dropped.Add(1)
	}
	c.add(p)
	return true
}

// Dropped is the number of samples that were lost because a channel held
// maxSamples of them. Any goroutine may call it.
func (w *Window) Dropped() int64 { return w.dropped.Load() }

// Reach is how long before a time T a sample may lie that still matters to the regions
// at T.
func (w *Window) Reach() time.Duration { return w.keep }

// Regions writes the regions at time T = at to dst, row by row of Definition.Width
// values, and returns their number. dst should have room for Definition.Regions
// rows; it gets no more than fit, and what lies behind the rows that are returned
// has no meaning. The modality is absent, with 0 rows, when the newest slice is
// empty or the age is above StaleAfter.
//
// The age is that of the channel whose newest sample is oldest, −1 when a channel
// has had none.
func (w *Window) Regions(at time.Duration, dst []float32) (rows int, age time.Duration) {
	at = max(-maxTime, min(at, maxTime))
	w.newest = max(w.newest, at)
	for i := range w.channels {
		c := &w.channels[i]
		if c.baseline != nil {
			c.baseline.settle(&c.series)
		}
		for c.n > 1 && w.passed(c.at(0).at, c.at(1).at) {
			c.drop()
		}
	}
	age = w.age(at)
	if age < 0 || w.staleAfter > 0 && age > w.staleAfter {
		return 0, age
	}
	rows = min(w.regions, len(dst)/w.width)
	for i := 0; i < len(w.channels) && rows > 0; i++ {
		rows = w.fill(&w.channels[i], at, rows, dst[i*len(w.functions):])
	}
	return rows, age
}

// passed reports whether a sample matters no more: it is out of reach, and the
// next one of its channel says how old the channel is.
func (w *Window) passed(sample, next time.Duration) bool {
	return next <= w.newest && sample < w.newest-w.keep
}

func (w *Window) age(at time.Duration) time.Duration {
	var age time.Duration
	for i := range w.channels {
		c := &w.channels[i]
		n := c.upTo(at)
		if n == 0 {
			return -1
		}
		age = max(age, at-c.at(n-1).at)
	}
	return age
}

// fill writes the features of one channel to the first of each width values of
// dst, for at most limit slices, and returns for how many there were samples.
func (w *Window) fill(c *channel, at time.Duration, limit int, dst []float32) int {
	end := c.upTo(at)
	for k := range limit {
		first, sliceEnd := end, at-time.Duration(k)*w.every
		for first > 0 && c.at(first-1).at > sliceEnd-w.every {
			first--
		}
		switch {
		case first < end:
			w.samples.load(&c.series, first, end, false)
		case w.hold && first > 0 && sliceEnd-c.at(first-1).at <= w.staleAfter:
			w.samples.load(&c.series, first-1, first, true)
		default:
			return k
		}
		for i, f := range w.functions {
			dst[k*w.width+i] = float32(toFloat32Range(f(&w.samples)))
		}
		end = first
	}
	return limit
}

// load takes the samples first..end−1 of a series.
func (s *samples) load(from *series, first, end int, held bool) {
	s.x, s.t, s.held = s.x[:0], s.t[:0], held
	start := from.at(first).at
	for i := first; i < end; i++ {
		p := from.at(i)
		s.x = append(s.x, p.value)
		s.t = append(s.t, float64(p.at-start)/1e9)
	}
}

func (c *channel) add(p point) {
	p.value = p.raw
	i := c.insert(p)
	if c.baseline != nil {
		c.baseline.update(&c.series, i)
	}
}

func (c *channel) drop() {
	if c.baseline != nil {
		c.baseline.drop(&c.series)
	}
	c.series.drop()
}

// toFloat32Range moves a finite value to the nearest that a float32 can hold.
func toFloat32Range(v float64) float64 {
	if math.IsInf(v, 0) {
		return v
	}
	return max(-math.MaxFloat32, min(v, math.MaxFloat32))
}
