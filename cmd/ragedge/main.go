// Command ragedge fuses the readings of local sensors into one explained
// decision.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// gcPercent keeps the heap near what is alive, which is under a megabyte here:
// Go's default of 100 would let it grow to four before it collects, and a
// decision allocates nothing, so collecting more often costs nothing.
const gcPercent = 25

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run executes the command line and returns the exit code of the process.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(append([]string{}, args...)) // with nil, cobra would take os.Args
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && err.Error() != "" && !isInterruption(err) {
		fmt.Fprintf(stderr, "ragedge: %v\n", err)
	}
	return exitCode(err)
}
