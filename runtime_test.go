package ragedge

import (
	"io"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestKernelsUnderRuntimeLoad runs kernels on stack memory while stacks grow and
// move, the collector runs, and profiler and tracer interrupt: a kernel that
// disturbs a register or the frame, or keeps a pointer, does not live through it.
func TestKernelsUnderRuntimeLoad(t *testing.T) {
	if err := pprof.StartCPUProfile(io.Discard); err == nil {
		defer pprof.StopCPUProfile()
	}
	if err := trace.Start(io.Discard); err == nil {
		defer trace.Stop()
	}
	length := 400 * time.Millisecond
	if testing.Short() {
		length = 100 * time.Millisecond
	}
	end := time.Now().Add(length)
	want := descend(0)
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for depth := worker; time.Now().Before(end); depth = (depth + 7) % 60 {
				got := make(chan [2]float32)
				go func() { got <- descend(depth) }() // a new, small stack
				if v := <-got; v != want {
					t.Errorf("depth %d: %v, want %v", depth, v, want)
					return
				}
			}
		})
	}
	wait.Go(func() {
		for time.Now().Before(end) {
			runtime.GC()
		}
	})
	wait.Wait()
	require.NotZero(t, want)
}

// descend calls itself to the given depth and runs the kernels on its frame on
// the way down, where the stack has to grow, and up.
func descend(depth int) [2]float32 {
	var a, b [200]float32
	var regions [600]float32
	for i := range regions {
		regions[i] = float32(i%13) - 6
	}
	copy(a[:], regions[:])
	GatedSum(b[:], a[:3], regions[:])
	first := Dot(a[:], b[:])
	if depth > 0 {
		descend(depth - 1)
	}
	Softmax(a[:], b[:])
	return [2]float32{first, Dot(a[:], regions[100:300])}
}
