package train

import (
	"fmt"
	"sync/atomic"

	"github.com/ragedge/ragedge/fusion"
)

// shard is how many examples a pass takes at most. The shards of a batch, and the order
// in which their gradients are added, do not depend on the threads, so neither does the
// result.
const shard = 8

// roomy is how many values a pass may take for more than one example, and the gradients
// that wait to be added: 64 MiB.
const roomy = 16 << 20

// crew is threads with a pass each, which take the shards of a batch one after the other.
type crew struct {
	source *source
	goal   *objective
	size   int // of a shard
	passes []*pass
	shards []outcome // of a wave: as many shards as are done before they are added

	gradient []float32 // of a batch
	tally    tally     // of what was run since it was reset

	work job // at hand; workers read it between wake and done
	next atomic.Int64
	end  int // of the examples of a wave
	wake []chan struct{}
	done chan struct{}
}

// outcome is what a shard gives.
type outcome struct {
	gradient []float32
	tally    tally
	err      error
}

// job is a batch.
type job struct {
	examples []int
	dropped  []bool
	learn    bool
	factor   float32 // of the loss of each example
}

// newCrew starts a thread for every pass but the first; close ends them. It fails when
// the buffers need more memory than there is.
func newCrew(net *network, s *source, goal *objective, threads, batch int) (*crew, error) {
	if pairs := attentionPairs(&net.Config); pairs > roomy*16 {
		return nil, fmt.Errorf("%w: training keeps how much every row attends to every other: %.0f MiB for one example",
			fusion.ErrTooLarge, pairs/(1<<18))
	}
	size, weights := shard, len(net.values)
	if one := passSize(net, 1); one*shard > roomy {
		size = max(1, roomy/one)
	}
	shards := (batch + size - 1) / size
	threads = min(threads, shards)
	wave := threads
	if threads > 1 {
		wave = min(shards, max(threads, roomy/weights))
	}
	need := int64(threads)*int64(passSize(net, size)+weights) + int64(wave)*int64(weights)
	if err := fusion.CheckMemory(4 * need); err != nil {
		return nil, fmt.Errorf("training with %d threads: %w", threads, err)
	}
	c := &crew{source: s, goal: goal, size: size, gradient: make([]float32, weights), tally: newTally(goal.classes)}
	for range threads {
		c.passes = append(c.passes, newPass(net, size))
		c.wake = append(c.wake, make(chan struct{}, 1))
	}
	for range wave {
		c.shards = append(c.shards, outcome{gradient: make([]float32, weights), tally: newTally(goal.classes)})
	}
	c.done = make(chan struct{}, threads)
	for worker := 1; worker < threads; worker++ {
		go c.serve(worker)
	}
	return c, nil
}

// attentionPairs returns about how many weights of attention an example has, which grow
// with the square of its rows.
func attentionPairs(c *fusion.Config) float64 {
	rows, layout := 0.0, c.Layout()
	for _, m := range c.Modalities {
		rows += float64(m.Regions)
	}
	pairs := rows * rows * float64(c.Heads*len(layout.Blocks))
	if c.Align == "anchor" || c.Align == "slots" {
		pairs += rows * float64(layout.MostSlots)
	}
	return pairs
}

func (c *crew) serve(worker int) {
	for range c.wake[worker] {
		c.take(c.passes[worker])
		c.done <- struct{}{}
	}
}

func (c *crew) close() {
	for _, wake := range c.wake {
		close(wake)
	}
}

// run does a batch. It adds to the tally and, when the job is to learn, sets the
// gradient.
func (c *crew) run(j job) error {
	c.work = j
	clear(c.gradient)
	for first := 0; first < len(j.examples); first = c.end {
		c.end = min(first+len(c.shards)*c.size, len(j.examples))
		c.next.Store(int64(first))
		for _, wake := range c.wake[1:] {
			wake <- struct{}{}
		}
		c.take(c.passes[0])
		for range c.wake[1:] {
			<-c.done
		}
		if err := c.collect((c.end - first + c.size - 1) / c.size); err != nil {
			return err
		}
	}
	return nil
}

// collect adds what the shards of a wave gave, in their order.
func (c *crew) collect(shards int) error {
	for i := range c.shards[:shards] {
		r := &c.shards[i]
		if r.err != nil {
			return r.err
		}
		c.tally.add(&r.tally)
		if c.work.learn {
			addTo(c.gradient, r.gradient)
		}
	}
	return nil
}

// take does shards of a wave until there are none left.
func (c *crew) take(p *pass) {
	for {
		first := int(c.next.Add(int64(c.size))) - c.size
		if first >= c.end {
			return
		}
		r := &c.shards[first/c.size%len(c.shards)]
		r.tally.reset()
		if r.err = c.shard(p, &r.tally, first); r.err == nil && c.work.learn {
			copy(r.gradient, p.grad)
		}
	}
}

// shard does the examples from first on.
func (c *crew) shard(p *pass, t *tally, first int) error {
	j, M := &c.work, len(c.source.columns)
	end := min(first+c.size, c.end)
	var dropped []bool
	if j.dropped != nil {
		dropped = j.dropped[first*M : end*M]
	}
	if err := p.load(c.source, j.examples[first:end], dropped); err != nil {
		return err
	}
	p.forward()
	c.count(p, t, j.examples[first:end])
	if j.learn {
		p.backward()
	}
	return nil
}

// count tallies the results of a pass, and sets their gradients for one that learns.
func (c *crew) count(p *pass, t *tally, examples []int) {
	n := c.goal.outputs
	for k, i := range examples {
		logits, dLogits := p.head.logits[k*n:(k+1)*n], []float32(nil)
		if c.work.learn {
			dLogits = p.head.dLogits[k*n : (k+1)*n]
		}
		if c.goal.classes > 0 {
			c.goal.classify(t, dLogits, logits, p.head.room, c.source.classes[i], c.work.factor)
		} else {
			c.goal.regress(t, dLogits, logits, c.source.Target[i*n:(i+1)*n], c.work.factor)
		}
	}
}
