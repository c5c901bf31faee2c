package fusion

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/ragedge/ragedge"
	"github.com/stretchr/testify/require"
)

// TestMain runs the tests on the kernel set that RAGEDGE_CPU names.
func TestMain(m *testing.M) {
	if set := os.Getenv("RAGEDGE_CPU"); set != "" {
		if err := ragedge.Use(set); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	setRapid()
	os.Exit(m.Run())
}

// setRapid makes the random properties the same on every run and short under
// emulation, and keeps the files of a failure out of the tree: its seed is printed.
// The command line has the last word. For a long search among other models:
//
//	go test ./fusion -rapid.checks=10000 -rapid.seed=0
func setRapid() {
	defaults := map[string]string{"rapid.seed": "1", "rapid.nofailfile": "true"}
	if runtime.GOARCH != "amd64" {
		defaults["rapid.checks"] = "20"
	}
	for name, value := range defaults {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
}

// everySet runs f once with each kernel set of this CPU; with the one in use where it is
// forced, and with -short, which is for runs under emulation or the race detector.
func everySet(t *testing.T, f func(t *testing.T)) {
	before, sets := ragedge.KernelSet(), ragedge.KernelSets()
	t.Cleanup(func() { require.NoError(t, ragedge.Use(before)) })
	if testing.Short() || os.Getenv("RAGEDGE_CPU") != "" {
		sets = []string{before}
	}
	for _, set := range sets {
		require.NoError(t, ragedge.Use(set))
		t.Run(set, f)
	}
}

// TestKernelSet proves that the set asked for is the one in use. Reading the
// variable here also tells the test cache that the outcome depends on it.
func TestKernelSet(t *testing.T) {
	if set := os.Getenv("RAGEDGE_CPU"); set != "" {
		require.Equal(t, set, ragedge.KernelSet())
	}
}
