package encoder

import (
	"maps"
	"reflect"
	"slices"
	"time"
)

// Words of the key encoder.
const (
	// Windowed: statistics over slices of time. See Window.
	Windowed = "window"
	// Push: regions as another process sent them.
	Push = "push"
)

// Words of the key fill.
const (
	// FillNone ends the rows at a slice in which a channel has no sample.
	FillNone = "none"
	// FillHold lets the newest earlier sample stand in, up to stale_after.
	FillHold = "hold"
)

// Features says what a model sees. The JSON form is the metadata "features" of a
// model file, the TOML form the table [features] of the configuration, with one
// [features.modality.NAME] per modality.
type Features struct {
	// Tick is the time between decisions. It may be 0 when every modality is
	// pushed.
	Tick       Duration              `json:"tick,omitempty" toml:"tick"`
	Modalities map[string]Definition `json:"modalities" toml:"modality"`
}

// Definition says how the regions of one modality come about. A push modality
// has Regions, the most that may be sent, and StaleAfter, how long what was sent
// counts when the sender does not say; the other keys are the window's.
type Definition struct {
	Encoder string `json:"encoder" toml:"encoder"`
	// Channels are the samples a window looks at, in the order of its features.
	Channels []string `json:"channels,omitempty" toml:"channels"`
	// Regions is the largest number of rows, Every the length of the slice of
	// time behind each.
	Regions int      `json:"regions" toml:"regions"`
	Every   Duration `json:"every,omitempty" toml:"every"`
	// Functions are computed per channel and slice; the doc of Window lists
	// them.
	Functions []string `json:"functions,omitempty" toml:"functions"`
	// Fill is FillNone, the default, or FillHold.
	Fill string `json:"fill,omitempty" toml:"fill"`
	// StaleAfter is the age at which the modality counts as absent, and how long
	// FillHold holds a sample. 0 sets no limit beyond the slices themselves;
	// FillHold needs one.
	StaleAfter Duration `json:"stale_after,omitempty" toml:"stale_after"`
	// Baseline subtracts from every sample the running median of its channel
	// over BaselineWindow, 1h by default.
	Baseline       bool     `json:"baseline,omitempty" toml:"baseline"`
	BaselineWindow Duration `json:"baseline_window,omitempty" toml:"baseline_window"`
}

// Width is the number of features in a region: channels times functions. It is 0
// for a push modality, whose width is the model's to say.
func (d Definition) Width() int { return len(d.Channels) * len(d.Functions) }

// WithDefaults returns f with every key that was left out at its default.
func (f Features) WithDefaults() Features {
	f.Modalities = maps.Clone(f.Modalities)
	for name, d := range f.Modalities {
		f.Modalities[name] = d.withDefaults()
	}
	return f
}

func (d Definition) withDefaults() Definition {
	if d.Encoder != Windowed {
		return d
	}
	if d.Fill == "" {
		d.Fill = FillNone
	}
	if d.Baseline && d.BaselineWindow == 0 {
		d.BaselineWindow = Duration(time.Hour)
	}
	return d
}

// Difference returns the first key in which f and other disagree, in the words
// of the configuration: "tick", "modality.light" when only one of them has that
// modality, "modality.light.every". It is empty when they say the same; a key
// left out says its default.
func (f Features) Difference(other Features) string {
	if f.Tick != other.Tick {
		return "tick"
	}
	f, other = f.WithDefaults(), other.WithDefaults()
	names := slices.Concat(slices.Collect(maps.Keys(f.Modalities)), slices.Collect(maps.Keys(other.Modalities)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		a, ok := f.Modalities[name]
		b, also := other.Modalities[name]
		if ok != also {
			return (&KeyError{Modality: name}).ConfigPath()
		}
		for _, key := range definitionKeys {
			if !reflect.DeepEqual(a.field(key), b.field(key)) {
				return (&KeyError{Modality: name, Key: key}).ConfigPath()
			}
		}
	}
	return ""
}

// definitionKeys are the keys of a Definition, in the order in which they are
// compared.
var definitionKeys = []string{
	"encoder", "channels", "regions", "every", "functions", "fill", "stale_after", "baseline", "baseline_window",
}

// field returns a pointer to the field of a key, nil when there is no such key.
func (d *Definition) field(key string) any {
	switch key {
	case "encoder":
		return &d.Encoder
	case "channels":
		return &d.Channels
	case "regions":
		return &d.Regions
	case "every":
		return &d.Every
	case "functions":
		return &d.Functions
	case "fill":
		return &d.Fill
	case "stale_after":
		return &d.StaleAfter
	case "baseline":
		return &d.Baseline
	case "baseline_window":
		return &d.BaselineWindow
	}
	return nil
}
