package daemon

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// buildWindows makes the modalities of features without a model, in the order of
// their names.
func (s *setup) buildWindows(features encoder.Features) error {
	s.every = features.Tick.Std()
	if s.every <= 0 {
		return fmt.Errorf("%w: features.tick: needed, or agent.model", ErrConfig)
	}
	for _, name := range slices.Sorted(maps.Keys(features.Modalities)) {
		d := features.Modalities[name]
		if d.Encoder == encoder.Push {
			return fmt.Errorf("%w: features.modality.%s: only a model says how wide pushed regions are: set agent.model", ErrConfig, name)
		}
		if err := s.addModality(name, d.Regions, d.Width(), d); err != nil {
			return err
		}
	}
	s.inputs = make([]fusion.Regions, len(s.modalities))
	s.result.Modalities = make([]result.Modality, len(s.modalities))
	return nil
}
