package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
)

// ErrData is wrapped when a model or recording is there and cannot be used.
var ErrData = errors.New("unusable file")

// defaultTTL is how long pushed regions count when neither the push nor the
// definition of their modality says so.
const defaultTTL = time.Minute

// ModelPath is where the model's file lies, "" when there is no model.
func (c *Config) ModelPath() string {
	if c.Agent.Model == "" || filepath.Base(c.Agent.Model) != c.Agent.Model {
		return c.Agent.Model
	}
	return filepath.Join(c.Agent.ModelDirectory, c.Agent.Model)
}

// LoadModel reads the model that c names and settles what it sees: its own
// features, which those of c must equal, or those of c when it has none. The
// model is nil when c names none.
func (c *Config) LoadModel() (*fusion.Model, encoder.Features, error) {
	path := c.ModelPath()
	if path == "" {
		return nil, c.Features, nil
	}
	model, err := fusion.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, c.Features, fmt.Errorf("%w: agent.model: %w; put the file there or leave the key out", ErrConfig, err)
	}
	if err != nil {
		return nil, c.Features, fmt.Errorf("%w: %w", ErrData, err)
	}
	features, err := settle(model, c.Features)
	if err != nil {
		return nil, c.Features, fmt.Errorf("%s: %w", path, err)
	}
	return model, features, nil
}

// settle chooses between the features of the model file and those of the
// configuration, and checks that they fit the model.
func settle(model *fusion.Model, configured encoder.Features) (encoder.Features, error) {
	features := configured
	if model.Features != "" {
		own, err := encoder.ParseFeatures([]byte(model.Features))
		if err != nil {
			return own, fmt.Errorf("%w: metadata features: %w", ErrData, err)
		}
		if len(configured.Modalities) > 0 {
			if key := configured.Difference(own); key != "" {
				return own, fmt.Errorf("%w: features.%s differs from the model's; leave [features] out to use the model's", ErrConfig, key)
			}
		}
		features = own
	}
	if len(features.Modalities) == 0 {
		return features, fmt.Errorf("%w: the model says nothing of its features: add [features]", ErrConfig)
	}
	return features, fits(model.Config, features)
}

// fits checks that the features produce what the model takes.
func fits(c fusion.Config, f encoder.Features) error {
	for _, m := range c.Modalities {
		d, ok := f.Modalities[m.Name]
		switch {
		case !ok:
			return fmt.Errorf("%w: features have no modality %s, which the model needs", ErrConfig, m.Name)
		case d.Encoder == encoder.Push && d.Regions == m.Regions:
			continue // its width is the model's to say
		case d.Encoder == encoder.Push:
			return fmt.Errorf("%w: features of modality %s allow %d regions, the model takes %d", ErrConfig, m.Name, d.Regions, m.Regions)
		case d.Regions != m.Regions || d.Width() != m.Features:
			return fmt.Errorf("%w: features of modality %s give %d regions of %d, the model takes %d of %d",
				ErrConfig, m.Name, d.Regions, d.Width(), m.Regions, m.Features)
		}
	}
	if len(f.Modalities) > len(c.Modalities) {
		return fmt.Errorf("%w: features have %d modalities, the model %d", ErrConfig, len(f.Modalities), len(c.Modalities))
	}
	return nil
}
