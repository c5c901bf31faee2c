package sink

import (
	"errors"
	"fmt"
	"time"

	"github.com/ragedge/ragedge/daemon/mqtt"
	"github.com/ragedge/ragedge/daemon/record"
)

const (
	// spillBatch is about how many bytes go to disk at once.
	spillBatch = 128 << 10
	// Bounds of what is on disk, and written in a day, where the configuration has
	// none.
	defaultSpill       = 16 << 20
	defaultSpillBudget = 64 << 20
	minSpill           = 1 << 20
)

// spill is the part of the Results that waits on disk: everything but the newest,
// while the broker is away, and all of it when the sink is closed.
type spill struct {
	spool   *record.Spool
	results []record.Spooled // the oldest segment
	next    int              // the first of them that was not delivered
	off     bool             // the disk failed during this connection
	shown   uint64           // number of the newest Result that was published ahead of the others
	logged  string
}

// newSpill returns nil where c does not ask for one.
func newSpill(m *MQTT) *spill {
	c := m.config
	if c.Spill == "" {
		return nil
	}
	return &spill{spool: record.NewSpool(record.SpoolConfig{
		Directory: c.Spill, MaxBytes: c.SpillMaxBytes, DayBytes: c.SpillWriteBudgetBytes,
	}, m.about.Version, record.OS{}, m.log)}
}

// checkSpill adds what is wrong with the keys of the spill.
func (c *Config) checkSpill(add func(key string, err error)) {
	least := func(key string, n int64) {
		switch {
		case n != 0 && c.Spill == "":
			add(key, errors.New("without spill nothing is kept on disk"))
		case n != 0 && n < minSpill:
			add(key, fmt.Errorf("%d is less than %d", n, minSpill))
		}
	}
	least("spill_max_bytes", c.SpillMaxBytes)
	least("spill_write_budget_bytes", c.SpillWriteBudgetBytes)
}

// store moves what waits to disk, but for the newest so many. What the disk does not
// take stays in memory.
func (p *publisher) store(keep int) {
	if p.spill == nil {
		return
	}
	for {
		batch, last := p.oldest(keep)
		if len(batch) == 0 {
			return
		}
		if err := p.spill.spool.Add(batch); err != nil {
			p.spillFailed(err)
			return
		}
		p.spill.logged = ""
		p.spilled.Add(int64(len(batch)))
		p.holding = false // it was the first of them, or there was none
		p.mu.Lock()
		p.backlog.discard(last)
		p.mu.Unlock()
		signal(p.room)
	}
}

// oldest returns copies of the oldest Results, the one that is held first, and the
// number of the last of them.
func (p *publisher) oldest(keep int) (batch []record.Spooled, last uint64) {
	size := 0
	add := func(h *held) {
		h.result.Redate()
		text := h.result.AppendJSON(nil)
		size += len(text)
		batch = append(batch, record.Spooled{JSON: text, Time: h.at})
		last = h.result.Seq
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holding && (p.backlog.n > 0 || keep == 0) { // else it is the newest
		add(&p.held)
	}
	for i := 0; i < p.backlog.n-keep && size < spillBatch; i++ {
		add(p.backlog.at(i))
	}
	return batch, last
}

// spillFailed counts what went wrong on disk, and says it once.
func (p *publisher) spillFailed(err error) {
	if !errors.Is(err, record.ErrSpoolFull) {
		p.failed.Add(1)
	}
	if text := err.Error(); text != p.spill.logged {
		p.spill.logged = text
		p.log.Warn("results stay in memory", "directory", p.config.Spill, "error", err)
	}
}

// waitsOnDisk says whether there are Results on disk to deliver before others.
func (p *publisher) waitsOnDisk() bool {
	s := p.spill
	if s == nil || s.off {
		return false
	}
	if s.next < len(s.results) {
		return true
	}
	results, err := s.spool.Oldest()
	if err != nil {
		s.off = true
		p.spillFailed(err)
	}
	s.results, s.next = results, 0
	return len(results) > 0
}

// publishStored publishes the oldest Result that is on disk, and removes its segment
// when that was the last one in it. There may be many, so whoever wants to know how
// things are gets the newest Result first.
func (p *publisher) publishStored(s *session) error {
	if err := p.judge(p.showNewest(s)); err != nil {
		return err
	}
	d := p.spill
	r := &d.results[d.next]
	err := s.Publish(p.overtaken(r.JSON, max(0, time.Since(r.Time))))
	if err != nil && !errors.Is(err, mqtt.ErrRefused) {
		return err
	}
	p.setLast(err)
	if err != nil {
		p.failed.Add(1)
	} else {
		p.written.Add(1)
		p.late.Add(1)
	}
	if d.next++; d.next < len(d.results) {
		return nil
	}
	if err := d.spool.Remove(); err != nil {
		d.off = true
		p.spillFailed(err)
	}
	return nil
}

// showNewest publishes the newest Result, if it was not yet, ahead of those before
// it, which count as late from then on. Its own turn comes as well.
func (p *publisher) showNewest(s *session) error {
	p.mu.Lock()
	n := p.backlog.n
	if n == 0 || p.backlog.at(n-1).result.Seq <= p.spill.shown {
		p.mu.Unlock()
		return nil
	}
	newest := &p.backlog.at(n - 1).result
	newest.Redate()
	p.buffer = newest.AppendJSON(p.buffer[:0])
	seq := newest.Seq
	p.mu.Unlock()
	if err := s.Publish(p.newest(p.buffer)); err != nil {
		return err
	}
	p.spill.shown = seq
	p.state = append(p.state[:0], p.buffer...)
	return nil
}

// end keeps what is left, if there is a place for it, and counts the Result that is
// still held otherwise among those that are dropped.
func (p *publisher) end() {
	p.store(0)
	p.giveBack()
	if p.spill == nil {
		return
	}
	if err := p.spill.spool.Close(); err != nil {
		p.spillFailed(err)
	}
}

// Spills says whether there is a place on disk for what waits.
func (m *MQTT) Spills() bool { return m.spill != nil }

// Spilled counts the Results that went to disk.
func (m *MQTT) Spilled() int64 { return m.spilled.Load() }

// SpillBytes is what Results on disk take, as far as the sink has looked.
func (m *MQTT) SpillBytes() int64 {
	if m.spill == nil {
		return 0
	}
	return m.spill.spool.Bytes()
}
