package train

import (
	"encoding/json"

	"github.com/ragedge/ragedge/fusion"
)

// newObjective returns what a model of this config is trained for.
func newObjective(c *fusion.Config, d *Data, train []int, o *Options) *objective {
	goal := &objective{outputs: c.Head.Outputs, smoothing: o.LabelSmoothing, huber: float32(o.Huber)}
	if c.Head.Task == fusion.Classify {
		goal.classes = c.Head.Outputs
		for _, w := range o.ClassWeights {
			goal.weights = append(goal.weights, float32(w))
		}
		return goal
	}
	for k := range goal.outputs {
		var m moments
		for _, i := range train {
			m.add(float64(d.Target[i*goal.outputs+k]))
		}
		goal.mean, goal.unit = append(goal.mean, float32(m.mean)), append(goal.unit, float32(m.deviation()))
	}
	return goal
}

// standardise changes the last layer of a regression so that its outputs are in units of
// the targets' deviation from their mean, as those of new parameters are.
func (p *Parameters) standardise(o *objective) {
	p.scaleOutputs(o, func(w, unit float32) float32 { return w / unit }, func(b, mean, unit float32) float32 { return (b - mean) / unit })
}

// restore takes standardise back: the outputs are in the units of the targets.
func (p *Parameters) restore(o *objective) {
	p.scaleOutputs(o, func(w, unit float32) float32 { return w * unit }, func(b, mean, unit float32) float32 { return b*unit + mean })
}

func (p *Parameters) scaleOutputs(o *objective, weight func(w, unit float32) float32, bias func(b, mean, unit float32) float32) {
	name := "head.0"
	if p.Config.Head.Hidden > 0 {
		name = "head.1"
	}
	weights, biases := p.Tensor(name+".weight"), p.Tensor(name+".bias")
	for k, unit := range o.unit {
		row := weights[k*len(weights)/o.outputs : (k+1)*len(weights)/o.outputs]
		for i, w := range row {
			row[i] = weight(w, unit)
		}
		biases[k] = bias(biases[k], o.mean[k], unit)
	}
}

// configText is a config as a model file has it.
func configText(c fusion.Config) string {
	text, err := json.Marshal(c)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
