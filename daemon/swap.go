package daemon

import (
	"slices"

	"github.com/ragedge/ragedge/fusion"
)

// tryModel runs a new model on zeros, with every region of every modality there.
func (w *wiring) tryModel() error {
	for i, m := range w.modalities {
		w.inputs[i] = fusion.Regions{Rows: m.regions, Features: m.features, Data: m.data}
	}
	return w.mind.try(w.inputs)
}

// swap puts next in the place of the pipeline's wiring, between two readings. What
// both see goes on: windows keep their samples, pushed regions stay, Results count
// on. Before anything changes the new model must manage what is in the windows now;
// if it does not, swap returns why, and all is as it was.
func (p *pipeline) swap(next wiring) error {
	p.enter()
	defer p.leave()
	now := p.clock.Now()
	p.tick(now - 1)
	for _, m := range next.modalities {
		if old := p.modality(m.name); old != nil {
			m.adopt(old)
		}
	}
	for i, m := range next.modalities {
		m.gather(now, &next.inputs[i], &next.result.Modalities[i])
	}
	if next.mind != nil {
		if err := next.mind.try(next.inputs); err != nil {
			return err
		}
	}
	if next.mind != nil {
		next.mind.adopt(p.mind)
	}
	next.newest.adopt(p.newest)
	for _, h := range p.sensors {
		h.retired = !slices.Contains(next.sensors, h)
	}
	next.result.Seq, next.result.BootID, next.result.Clock = p.result.Seq, p.clock.BootID(), p.result.Clock
	sameTicks := p.ticking() && next.decides() && p.every == next.every
	p.wiring = next
	if p.started && p.every > 0 && !sameTicks {
		p.next = p.clock.Next(now, p.every)
	}
	return nil
}
