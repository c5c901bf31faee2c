package train

import "github.com/ragedge/ragedge"

// projection is E1 for one modality. E0 is done where rows enter the batch.
type projection struct {
	linear           linear
	projects         bool      // else the rows are taken as they are
	modality, dEmbed []float32 // e_m [d]; nil for none
	position, dPlace []float32 // p_m [N_m, d]; nil for none
	y                []float32 // H^m of all examples [Σ n_m, d]
}

func (p *pass) newProjections(examples int) []projection {
	c := &p.net.Config
	var all []projection
	most := 0
	for _, m := range c.Modalities {
		most = max(most, examples*m.Regions)
	}
	y := p.take(most * c.Width) // one modality at a time
	for _, m := range c.Modalities {
		var j projection
		j.linear, j.projects = p.linear("project."+m.Name, examples*m.Regions)
		p.needs(examples*m.Regions, 1, 1)
		j.modality, j.dEmbed = p.weight("modality."+m.Name), p.gradient("modality."+m.Name)
		j.position, j.dPlace = p.weight("position."+m.Name), p.gradient("position."+m.Name)
		j.y = y
		all = append(all, j)
	}
	return all
}

// project is E1: H^m = x W_mᵀ + b_m + e_m + p_m[i].
func (p *pass) project(h []float32) {
	d, b := p.net.Config.Width, &p.batch
	for m := range p.projections {
		j := &p.projections[m]
		y := b.x[m]
		if j.projects {
			y = j.y[:len(b.x[m])/j.linear.in*d]
			j.linear.forward(y, b.x[m])
		}
		for e := range b.size {
			to := b.span(e, m).of(h, d)
			y = y[copy(to, y):]
			if j.modality != nil {
				addRow(to, j.modality)
			}
			if j.position != nil {
				addTo(to, j.position)
			}
		}
	}
}

// projectBackward sets the gradients of E1 from that of H.
func (p *pass) projectBackward(dh []float32) {
	d, b := p.net.Config.Width, &p.batch
	for m := range p.projections {
		j := &p.projections[m]
		dy, n := j.y, 0
		for e := range b.size {
			from := b.span(e, m).of(dh, d)
			n += copy(dy[n:], from)
			if j.dPlace != nil {
				addTo(j.dPlace[:len(from)], from)
			}
		}
		if j.dEmbed != nil {
			ragedge.GatedSum(j.dEmbed, p.work.ones[:n/d], dy[:n])
		}
		if j.projects {
			j.linear.backward(nil, dy[:n], b.x[m])
		}
	}
}
