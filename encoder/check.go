package encoder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Limits of a Definition. They are far above real use and keep a broken file from
// asking for all the memory or overflowing a time.
const (
	maxRegions  = 1 << 16
	maxFeatures = 1 << 20 // of all regions of a modality together
	maxReach    = 366 * 24 * time.Hour
)

// KeyError says which key of a Features is wrong, and why.
type KeyError struct {
	// Modality is empty for a key of Features itself, Key when the modality as a
	// whole is meant, both for the modalities together.
	Modality, Key string
	Err           error
}

// Error names the key as the model file writes it: "modalities.light.every: …".
func (e *KeyError) Error() string { return e.path("modalities") + ": " + e.Err.Error() }

// ConfigPath names the key as the configuration writes it, within [features]:
// "modality.light.every".
func (e *KeyError) ConfigPath() string { return e.path("modality") }

func (e *KeyError) Unwrap() error { return e.Err }

func (e *KeyError) path(table string) string {
	switch {
	case e.Modality == "" && e.Key == "":
		return table
	case e.Modality == "":
		return e.Key
	case e.Key == "":
		return table + "." + e.Modality
	}
	return table + "." + e.Modality + "." + e.Key
}

// Check reports the first key, modalities by name, whose value cannot be used,
// as a *KeyError.
func (f Features) Check() error {
	if len(f.Modalities) == 0 {
		return &KeyError{Err: errors.New("there are none; define at least one")}
	}
	windows := false
	for _, name := range slices.Sorted(maps.Keys(f.Modalities)) {
		d := f.Modalities[name].withDefaults()
		if !validName(name) {
			return &KeyError{Err: fmt.Errorf("%q is no name: use letters a-z, digits, _ and -", name)}
		}
		if key, err := d.check(); err != nil {
			return &KeyError{Modality: name, Key: key, Err: err}
		}
		windows = windows || d.Encoder == Windowed
	}
	if f.Tick == 0 && !windows {
		return nil
	}
	if err := checkDuration(f.Tick); err != nil {
		return &KeyError{Key: "tick", Err: err}
	}
	return nil
}

func validName(name string) bool {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-' {
			return false
		}
	}
	return name != ""
}

// check returns the first key of d, which has its defaults, that is wrong.
func (d *Definition) check() (key string, err error) {
	switch d.Encoder {
	case Windowed, Push:
	case "":
		return "encoder", errors.New(`required: "window" or "push"`)
	case "logmel", "patches", "tokens":
		return "encoder", fmt.Errorf(`this build does not have the encoder %q yet, only "window" and "push"`, d.Encoder)
	default:
		return "encoder", fmt.Errorf(`there is no encoder %q, only "window" and "push"`, d.Encoder)
	}
	if d.Regions < 1 || d.Regions > maxRegions {
		return "regions", fmt.Errorf("%d is not in 1..%d", d.Regions, maxRegions)
	}
	if d.Encoder == Push {
		return d.checkPush()
	}
	return d.checkWindow()
}

func (d *Definition) checkWindow() (key string, err error) {
	if err := checkNames(d.Channels); err != nil {
		return "channels", err
	}
	if err := checkDuration(d.Every); err != nil {
		return "every", err
	}
	if d.Every.Std() > maxReach/time.Duration(d.Regions) {
		return "every", fmt.Errorf("%d regions of %v reach back more than %v", d.Regions, d.Every, maxReach)
	}
	if err := checkNames(d.Functions); err != nil {
		return "functions", err
	}
	for _, name := range d.Functions {
		if _, err := parseFunction(name); err != nil {
			return "functions", err
		}
	}
	if len(d.Channels) > maxFeatures/len(d.Functions)/d.Regions {
		return "regions", fmt.Errorf("%d regions of %d channels with %d functions are more than %d features",
			d.Regions, len(d.Channels), len(d.Functions), maxFeatures)
	}
	if d.Fill != FillNone && d.Fill != FillHold {
		return "fill", fmt.Errorf(`%q is neither "none" nor "hold"`, d.Fill)
	}
	if d.StaleAfter != 0 || d.Fill == FillHold {
		if err := checkDuration(d.StaleAfter); err != nil {
			return "stale_after", err
		}
	}
	switch {
	case d.Baseline:
		return "baseline_window", checkDuration(d.BaselineWindow)
	case d.BaselineWindow != 0:
		return "baseline_window", errors.New("has no effect without baseline = true")
	}
	return "", nil
}

// checkPush refuses every key that pushed regions do not have, so that nobody
// believes it has an effect.
func (d *Definition) checkPush() (key string, err error) {
	for _, window := range []struct {
		key string
		set bool
	}{
		{"channels", d.Channels != nil},
		{"every", d.Every != 0},
		{"functions", d.Functions != nil},
		{"fill", d.Fill != ""},
		{"baseline", d.Baseline},
		{"baseline_window", d.BaselineWindow != 0},
	} {
		if window.set {
			return window.key, errors.New(`has no effect with the encoder "push"`)
		}
	}
	if d.StaleAfter != 0 {
		return "stale_after", checkDuration(d.StaleAfter)
	}
	return "", nil
}

func checkDuration(d Duration) error {
	switch {
	case d == 0:
		return errors.New("required: a duration above 0")
	case d < 0:
		return fmt.Errorf("%v is not above 0", d)
	case d.Std() > maxReach:
		return fmt.Errorf("%v is more than %v", d, maxReach)
	}
	return nil
}

// checkNames refuses an empty list, an empty name and a name that occurs twice.
func checkNames(names []string) error {
	if len(names) == 0 {
		return errors.New("required: at least one name")
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if name == "" {
			return errors.New("a name is empty")
		}
		if seen[name] {
			return fmt.Errorf("%q occurs twice", name)
		}
		seen[name] = true
	}
	return nil
}
