package fusion

import (
	"runtime"
	"sync/atomic"

	"github.com/ragedge/ragedge"
)

// team is the goroutines that help a State with the steps of large models. A step is
// cut into parts, more than there are threads, and whoever is free takes the next one,
// so a helper that the system does not run holds up no more than its part. Every result
// is computed by the instructions that compute it in one piece: the bits do not depend
// on who computes it.
type team struct {
	size   int // helpers
	wake   chan int
	done   chan struct{}
	scores [][]float32 // room for the attention of each helper

	step job // at hand; helpers read it between wake and done
	next atomic.Int64
}

// UseThreads lets Fuse use up to n threads where a step is large enough to gain from
// it. A State begins with one. The result does not depend on it, to the bit. The
// threads end when the State is garbage; between steps they poll for some
// microseconds, and then wait without using the CPU. It allocates, and must not run at
// the same time as Fuse.
func (s *State) UseThreads(n int) {
	if s.team != nil {
		s.retire.Stop()
		close(s.team.wake)
		s.team = nil
	}
	if n < 2 {
		return
	}
	t := &team{size: n - 1, wake: make(chan int, n-1), done: make(chan struct{}, n-1)}
	for range t.size {
		t.scores = append(t.scores, make([]float32, len(s.scores)))
		go t.work()
	}
	s.team = t
	// The helpers hold the team and not the State, so that it can become garbage.
	s.retire = runtime.AddCleanup(s, func(wake chan int) { close(wake) }, t.wake)
}

// Threads returns how many threads Fuse may use.
func (s *State) Threads() int {
	if s.team == nil {
		return 1
	}
	return s.team.size + 1
}

// polls is how often a thread looks for something to do, or for the end of a step,
// before it sleeps: some fifty microseconds, for waking takes as long as a step.
const polls = 1 << 14

func (t *team) work() {
	for {
		helper, open := t.await()
		if !open {
			return
		}
		t.take(t.scores[helper])
		t.done <- struct{}{}
	}
}

// await waits for a step to help with.
func (t *team) await() (helper int, open bool) {
	for i := range polls {
		select {
		case helper, open = <-t.wake:
			return helper, open
		default:
		}
		if i%256 == 255 {
			runtime.Gosched() // there may be one CPU only
		}
	}
	helper, open = <-t.wake
	return helper, open
}

// finish waits until a helper is done, or not needed because it has not come.
func (t *team) finish() {
	for i := range polls {
		select {
		case <-t.wake:
			return
		case <-t.done:
			return
		default:
		}
		if i%256 == 255 {
			runtime.Gosched()
		}
	}
	select {
	case <-t.wake:
	case <-t.done:
	}
}

// take does parts of the step at hand until there are none left.
func (t *team) take(scores []float32) {
	for {
		first := int(t.next.Add(int64(t.step.cut))) - t.step.cut
		if first >= t.step.units {
			return
		}
		t.step.run(first, min(first+t.step.cut, t.step.units), scores)
	}
}

// worthwhile is for how many multiply-adds, about, a thread is worth waking: some
// ten microseconds. Tests wake it for less.
var worthwhile = 1 << 20

// share runs a step on as many threads as its multiply-adds are worth; parts are cut
// at multiples of grain.
func (s *State) share(j job, grain, size int) {
	t := s.team
	if t == nil || size < worthwhile {
		j.run(0, j.units, s.scores)
		return
	}
	helpers := min(t.size, size/worthwhile)
	const parts = 4 // for each thread
	j.cut = max(grain, j.units/(parts*(helpers+1))/grain*grain)
	t.step = j
	t.next.Store(0)
	for helper := range helpers {
		t.wake <- helper
	}
	t.take(s.scores)
	for range helpers {
		t.finish()
	}
	t.step = job{} // keeps nothing of the State
}

// task is what a job does.
type task int

const (
	someOutputs  task = iota // y = act(x Wᵀ + b), cut by outputs
	attendRows               // y = softmax(x keys) values, cut by queries
	attendBlocks             // the heads of a block, cut by blocks of queries of a head
	dotRows                  // y = x keysᵀ, cut by rows of x
)

// job is a step: so many units of a task, cut at multiples of cut.
type job struct {
	do             task
	units, cut     int
	y, x           matrix
	linear         *linear
	keys, values   []float32
	n              int // keys
	scale          float32
	inner, columns int // of keys and values; or of a head, and queries of a block
}

// run does the units from first up to end.
func (j *job) run(first, end int, scores []float32) {
	switch j.do {
	case someOutputs:
		j.linear.some(j.y, j.x.values, first, end)
	case attendRows:
		y, x := j.y.from(first), j.x.from(first)
		ragedge.Attention(y.values, x.values, j.keys, j.values, scores, end-first, j.n, j.inner, j.columns, y.stride, x.stride)
	case attendBlocks:
		rows := j.y.stride
		blocks := (rows + j.columns - 1) / j.columns
		for unit := first; unit < end; unit++ {
			head, at := unit/blocks, unit%blocks*j.columns
			y := j.y.from(head * j.inner).values[at:]
			ragedge.AttentionColumns(y, y, j.x.values[head*j.inner:], j.values[head*j.inner*j.n:], scores,
				min(j.columns, rows-at), j.n, j.inner, j.inner, rows, rows, j.x.stride)
		}
	case dotRows:
		y, x := j.y.from(first), j.x.from(first)
		ragedge.RowDots(y.values, x.values, j.keys, end-first, j.n, j.inner, x.stride, j.inner, j.scale)
	}
}
