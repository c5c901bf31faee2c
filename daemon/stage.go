package daemon

import (
	"fmt"
	"time"
)

// stage is one part of the daemon whose progress the watchdog judges. It is late
// once it has let its allowance pass after the moment at which it was due; a
// stage with nothing due is idle and never late.
type stage struct {
	name      string
	due       func() time.Duration // on the machine's monotonic time, or idle
	allowance time.Duration
}

// idle is the due time of a stage that waits for somebody else.
const idle = time.Duration(0)

const (
	// pipelineAllowance is how long one call into the pipeline may take, and how
	// late a tick may be.
	pipelineAllowance = 5 * time.Second
	// busAllowance is how late a bus may begin a read. A read that hangs is not
	// late: its sensor is masked, and a restart would not mend it.
	busAllowance = 5 * time.Second
)

// stages lists everything of s that the watchdog judges.
func (d *Daemon) stages(s *setup) []stage {
	all := []stage{{"pipeline", d.pipeline.due, pipelineAllowance}}
	for _, b := range s.buses {
		all = append(all, stage{b.poller.Bus(), b.poller.Due, busAllowance})
	}
	if s.replay != nil {
		all = append(all, stage{"replay", s.replay.Due, busAllowance})
	}
	for _, o := range s.outputs {
		all = append(all, stage{"sink " + o.name, o.queue.Due, 0})
	}
	return all
}

// late says by how much the stage is over its time at now, 0 when it is not.
func (s *stage) late(now time.Duration) time.Duration {
	due := s.due()
	if due == idle {
		return 0
	}
	return max(0, now-due-s.allowance)
}

// lateStages names the stages that are over their time, the first of them as an
// error.
func (d *Daemon) lateStages() (names []string, first error) {
	now := d.system.Now()
	for _, s := range d.current.Load().judged {
		if late := s.late(now); late > 0 {
			names = append(names, s.name)
			if first == nil {
				first = fmt.Errorf("%s is %v over its time", s.name, late.Round(time.Millisecond))
			}
		}
	}
	return names, first
}
