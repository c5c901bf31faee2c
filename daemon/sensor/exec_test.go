package sensor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ragedge/ragedge/encoder"
)

// script is an exec sensor that runs a text through the shell.
func script(format, text string, names ...string) Config {
	channels := map[string]string{}
	for _, n := range names {
		channels[n] = "x." + n
	}
	return Config{Alias: "x", Type: Exec, Command: []string{"/bin/sh", "-c", text}, DataFormat: format, Channels: channels}
}

// running is a program at work.
type running struct {
	*Program
	log  log
	mu   sync.Mutex
	said []string
	stop context.CancelFunc
	done chan error
}

func runProgram(t *testing.T, c Config) *running { return runOn(t, Hardware{}, c) }

func runOn(t *testing.T, hardware Hardware, c Config) *running {
	require.NoError(t, c.Check())
	r := &running{done: make(chan error, 1)}
	begun := time.Now()
	all := NewPrograms([]Config{{Type: Push}, c}, func() time.Duration { return time.Since(begun) }, hardware, func(sensor int, line string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.said = append(r.said, fmt.Sprint(sensor, " ", line))
	})
	require.Len(t, all, 1)
	r.Program = all[0]
	var ctx context.Context
	ctx, r.stop = context.WithCancel(t.Context())
	go func() { r.done <- r.Run(ctx, r.log.deliver) }()
	t.Cleanup(func() { r.stop() })
	return r
}

// until waits for a condition.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 10*time.Second, time.Millisecond)
}

// end stops the program, which must not take long.
func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	select {
	case err := <-r.done:
		require.NoError(t, err)
	case <-time.After(30 * time.Second):
		require.Fail(t, "the program does not end")
	}
}

// alive says whether a process, whose number a file holds, runs.
func alive(t *testing.T, file string) bool {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	require.NoError(t, err)
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(state), ") Z ")
}

func TestExecReads(t *testing.T) {
	for name, c := range map[string]Config{
		"json":   script(FormatJSON, `echo '{"temp":1.5,"door":true,"other":9}'; echo '{"temp":2.5}'; exec sleep 60`, "temp", "door"),
		"csv":    script(FormatCSV, `echo 'time,temp,door'; echo '9,1.5,1'; echo '10,2.5,'; exec sleep 60`, "temp", "door"),
		"influx": script(FormatInflux, `echo 'w,a=b temp=1.5,door=t 17'; echo 'w temp=2.5'; exec sleep 60`, "temp", "door"),
	} {
		t.Run(name, func(t *testing.T) {
			r := runProgram(t, c)
			until(t, func() bool { return len(r.log.all()) == 2 })
			require.ElementsMatch(t, []float64{1.5, 1, 2.5}, r.log.values())
			require.Equal(t, 1, r.log.all()[0].Sensor)
			require.NotZero(t, r.log.all()[0].At)
			r.end(t)
		})
	}
}

// A program that ends is begun again, later each time.
func TestExecRestarts(t *testing.T) {
	r := runProgram(t, script(FormatJSON, `echo '{"temp":1}'; exit 3`, "temp"))
	until(t, func() bool { return r.Starts() == 2 })
	require.ErrorContains(t, r.log.errors()[0], "the program ended: exit status 3")
	r.end(t)

	p := &Program{random: r.random}
	for failures, want := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 5: 32 * time.Second, 6: time.Minute, 1000: time.Minute} {
		wait := p.backoff(failures)
		require.LessOrEqual(t, wait, want)
		require.GreaterOrEqual(t, wait, want*3/4)
	}
}

// What hangs is killed with all that it started.
func TestExecHangs(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	c := script(FormatJSON, fmt.Sprintf(`sleep 600 & echo $! > %s; trap '' TERM; echo '{"other":1}'; wait; wait`, pid), "temp")
	c.Timeout = encoder.Duration(300 * time.Millisecond)
	r := runProgram(t, c)
	until(t, func() bool { return len(r.log.errors()) > 0 })
	require.ErrorIs(t, r.log.errors()[0], ErrTimeout)
	require.ErrorContains(t, r.log.errors()[0], "nothing that channels names in 300ms")
	until(t, func() bool { return !alive(t, pid) })
	r.end(t)
}

// Stopping ends the whole group, also one that ignores SIGTERM.
func TestExecStops(t *testing.T) {
	for name, trap := range map[string]string{"willing": "", "unwilling": "trap '' TERM; "} {
		t.Run(name, func(t *testing.T) {
			pid := filepath.Join(t.TempDir(), "pid")
			r := runProgram(t, script(FormatJSON, trap+fmt.Sprintf(`sleep 600 & echo $! > %s; echo '{"temp":1}'; wait; wait`, pid), "temp"))
			until(t, func() bool { return len(r.log.all()) == 1 })
			r.end(t)
			until(t, func() bool { return !alive(t, pid) })
			require.Len(t, r.log.all(), 1, "stopping is no failure")
		})
	}
}

// A program that leaves a daemon behind with its pipes does not hold us.
func TestExecLeavesAChild(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	r := runProgram(t, script(FormatJSON, fmt.Sprintf(`setsid sh -c 'echo $$ > %s; exec sleep 600' & echo '{"temp":1}'; sleep 0.2`, pid), "temp"))
	until(t, func() bool { return len(r.log.errors()) > 0 })
	require.ErrorContains(t, r.log.errors()[0], "the program ended")
	r.end(t)
	data, err := os.ReadFile(pid)
	require.NoError(t, err)
	left, err := strconv.Atoi(strings.TrimSpace(string(data)))
	require.NoError(t, err)
	syscall.Kill(left, syscall.SIGKILL)
}

// A flood is slowed to maxLines a second and does not hold up the end.
func TestExecFloods(t *testing.T) {
	r := runProgram(t, script(FormatJSON, `while :; do echo '{"temp":1}'; done`, "temp"))
	until(t, func() bool { return len(r.log.all()) >= maxLines })
	require.LessOrEqual(t, len(r.log.all()), 2*maxLines)
	require.Empty(t, r.log.errors())
	r.end(t)
}

// Bad lines are failures that the next line mends; the program runs on.
func TestExecBadLines(t *testing.T) {
	long := fmt.Sprintf(`printf '{"temp":"%%0%dd"}\n' 1`, 2*maxLine)
	r := runProgram(t, script(FormatJSON, `echo oops; `+long+`; echo '{"temp":"NaN"}'; echo '{"temp":4}'; printf '{"temp":'; sleep 0.1`, "temp"))
	until(t, func() bool { return len(r.log.all()) >= 5 })
	errs := r.log.errors()
	require.ErrorContains(t, errs[0], `"oops" is not a JSON object`)
	require.ErrorContains(t, errs[1], "a line of more than 65536 bytes")
	require.ErrorIs(t, errs[2], ErrNonFinite)
	require.ErrorContains(t, errs[3], "the program ended", "a line that was cut is no reading")
	require.Equal(t, []float64{4}, r.log.values())
	r.end(t)
}

func TestExecStartupError(t *testing.T) {
	for policy, check := range map[string]func(r *running){
		StartupFail: func(r *running) {
			require.ErrorContains(t, <-r.done, "sensor x: fork/exec /no/such/program: no such file or directory: check the path")
			require.Empty(t, r.log.all())
			r.done <- nil
		},
		StartupIgnore: func(r *running) {
			until(t, func() bool { return len(r.log.errors()) == 1 })
			require.ErrorIs(t, r.log.errors()[0], ErrLeftOut)
			<-r.Started()
		},
		StartupProbe: func(r *running) {
			<-r.Started()
			require.ErrorIs(t, r.log.errors()[0], ErrLeftOut)
		},
		StartupRetry: func(r *running) {
			<-r.Started()
			until(t, func() bool { return len(r.log.errors()) == 1 })
			require.NotErrorIs(t, r.log.errors()[0], ErrLeftOut)
		},
	} {
		t.Run(policy, func(t *testing.T) {
			c := script(FormatJSON, "", "temp")
			c.Command, c.StartupError = []string{"/no/such/program"}, policy
			r := runProgram(t, c)
			check(r)
			r.end(t)
		})
	}
	c := script(FormatJSON, "echo oops; exec sleep 60", "temp")
	c.StartupError = StartupFail
	r := runProgram(t, c)
	require.ErrorContains(t, <-r.done, `"oops" is not a JSON object`, "the first line counts as the first reading")
}

func TestExecLog(t *testing.T) {
	r := runProgram(t, script(FormatJSON, `i=0; while [ $i -lt 50 ]; do echo "warning $i" >&2; i=$((i+1)); done; echo '{"temp":1}'; exec sleep 60`, "temp"))
	until(t, func() bool { return len(r.log.all()) == 1 })
	r.end(t)
	require.Len(t, r.said, logLines+1)
	require.Equal(t, "1 warning 0", r.said[0])
	require.Equal(t, "1 30 lines left out", r.said[logLines])

	var said []string
	copyLog(strings.NewReader(strings.Repeat("x", 10*logLength)+"\nnext\x1b\xff\n\n"), func(line string) { said = append(said, line) })
	require.Equal(t, []string{strings.Repeat("x", logLength), "next\x1b?"}, said, "long lines are cut")
}
