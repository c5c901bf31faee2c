package api

import (
	"fmt"
	"strconv"
	"time"
	"unicode"
)

// Bounds of one push. A number takes at least two bytes of JSON, so the body
// bounds the values.
const (
	maxBody       = 1 << 20 // bytes
	maxModalities = 64
	maxRows       = 4096 // of one modality
	maxSamples    = 4096
	maxID         = 128 // bytes
	maxSeconds    = 1e9 // of age and time to live: 31 years
)

// Push is what another process sends: samples of channels, region features of
// modalities, or both. It counts as a whole or not at all. Every value in it is
// finite.
type Push struct {
	// ID is the sender's own name for this push.
	ID string
	// Age is how long before its arrival the data was true.
	Age time.Duration
	// TTL is how long after that moment regions may be used; 0 leaves it to the
	// modality.
	TTL     time.Duration
	Regions []Regions
	Samples []Sample
}

// Regions are the region features of one modality, before normalisation: row i
// is Data[i*Features : (i+1)*Features]. No rows means that there is nothing to
// see now: the modality is absent until the next push.
type Regions struct {
	Modality       string
	Rows, Features int
	Data           []float32
}

// Sample is one value of one channel.
type Sample struct {
	Channel string
	Value   float64
	// Time is the wall-clock time of the sample. Zero: as old as the push.
	Time time.Time
}

func (p *Push) empty() bool { return len(p.Regions) == 0 && len(p.Samples) == 0 }

func (p *Push) rows() (n int) {
	for i := range p.Regions {
		n += p.Regions[i].Rows
	}
	return n
}

// add appends an empty set of regions for a modality.
func (p *Push) add(modality string) (*Regions, error) {
	if len(p.Regions) == maxModalities {
		return nil, fmt.Errorf("more than %d modalities", maxModalities)
	}
	p.Regions = append(p.Regions, Regions{Modality: modality})
	return &p.Regions[len(p.Regions)-1], nil
}

func (p *Push) setID(id string) error {
	if len(id) > maxID {
		return fmt.Errorf("%d bytes long, at most %d are allowed", len(id), maxID)
	}
	for _, r := range id {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("%q cannot be printed", r)
		}
	}
	p.ID = id
	return nil
}

// seconds turns a number of seconds into a Duration.
func seconds(s float64) (time.Duration, error) {
	if !(s >= 0 && s <= maxSeconds) {
		return 0, fmt.Errorf("%v is not between 0 and %v seconds", s, maxSeconds)
	}
	return time.Duration(s * float64(time.Second)), nil
}

// parseSeconds reads "1.5" as seconds and "1500ms" as a Go duration.
func parseSeconds(text string) (time.Duration, error) {
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		return seconds(s)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%.32q is neither seconds nor a duration such as \"90s\"", text)
	}
	return seconds(d.Seconds())
}
