package train

// normal is E0 for one modality: (x − mean) / std per feature.
type normal struct{ mean, inverse []float32 } // [d_m]; nil: as it is

func (p *pass) newNormals() []normal {
	var all []normal
	for _, m := range p.net.Config.Modalities {
		var n normal
		if std := p.net.inputs[stdOf(m)]; std != nil {
			n.mean, n.inverse = p.net.inputs[meanOf(m)], make([]float32, len(std))
			for i, v := range std {
				n.inverse[i] = 1 / v
			}
		}
		all = append(all, n)
	}
	return all
}

// apply replaces rows by their normalised values.
func (n *normal) apply(x []float32) {
	for d := len(n.mean); d > 0 && len(x) > 0; x = x[d:] {
		for i, mean := range n.mean {
			x[i] = (x[i] - mean) * n.inverse[i]
		}
	}
}
