package train

import (
	"context"

	"github.com/ragedge/ragedge/fusion"
)

// joinedMost is how many values the vectors of early fusion may take: 64 MiB. Larger
// data are compared without it.
const joinedMost = 16 << 20

// baseline is a model of one modality: a projection, pooling, and the head.
func baseline(head fusion.Head, width int, m fusion.Modality) fusion.Config {
	head.Hidden = width
	return fusion.Config{
		Name: "baseline", Modalities: []fusion.Modality{m}, Width: width, Projection: "linear", Strategy: "gate", Heads: 1,
		FFN: width, Activation: "relu", Score: "dot", Align: "identity", Gate: "shared", Gates: 1, Pool: "attention", Norm: true, Head: head,
	}
}

// joiner makes data with one modality of one row: all rows of all modalities one after the
// other, and for each whether it is there. A feature that is not there has its mean over
// the training examples.
type joiner struct {
	config fusion.Config // only modalities
	means  [][]float32   // by modality
	width  int
}

func newJoiner(d *Data, train []int) (*joiner, error) {
	j := &joiner{config: fusion.Config{Modalities: d.Modalities}}
	source, err := newSource(&j.config, d)
	if err != nil {
		return nil, err
	}
	all, err := source.scan(context.Background(), &j.config, train, len(train))
	if err != nil {
		return nil, err
	}
	for m, modality := range d.Modalities {
		j.width += modality.Regions * (modality.Features + 1)
		var means []float32
		for _, f := range all[m] {
			means = append(means, float32(f.mean))
		}
		j.means = append(j.means, means)
	}
	return j, nil
}

// join returns nil when the result would be too large.
func (j *joiner) join(d *Data) (*Data, error) {
	if j.width*d.Len() > joinedMost {
		return nil, nil
	}
	source, err := newSource(&j.config, d)
	if err != nil {
		return nil, err
	}
	values, lengths, room := make([]float32, 0, j.width*d.Len()), make([]int64, d.Len()), d.room()
	for i := range d.Len() {
		if d.anything(i) {
			lengths[i] = 1
		}
		for m, modality := range j.config.Modalities {
			r, err := d.Regions(i, source.columns[m], room)
			if err != nil {
				return nil, err
			}
			for k := range modality.Regions {
				if k < r.Rows {
					values = append(append(values, r.Data[k*r.Features:(k+1)*r.Features]...), 1)
				} else {
					values = append(append(values, j.means[m]...), 0)
				}
			}
		}
	}
	joined, err := NewData([]fusion.Modality{{Name: "all", Regions: 1, Features: j.width}}, [][]float32{values}, [][]int64{lengths})
	if err != nil {
		return nil, err
	}
	joined.Labels, joined.Label, joined.Target, joined.Targets = d.Labels, d.Label, d.Target, d.Targets
	return joined, nil
}
