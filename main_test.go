package ragedge

import (
	"fmt"
	"os"
	"testing"
)

// TestMain puts the kernel set of RAGEDGE_CPU to use, the best one without it.
// RAGEDGE_REQUIRE_CPU names the set that must then be in use, so that a run meant
// for one set cannot pass on another.
func TestMain(m *testing.M) {
	if err := selectSet(os.Getenv("RAGEDGE_CPU"), os.Getenv("RAGEDGE_REQUIRE_CPU")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// testedSets are the kernel sets to test in turn: all of them, but with -short and where
// one is forced the one in use. Other runs test the others then.
func testedSets() []string {
	if testing.Short() || os.Getenv("RAGEDGE_CPU") != "" {
		return []string{KernelSet()}
	}
	return KernelSets()
}

func selectSet(set, required string) error {
	if set != "" {
		if err := Use(set); err != nil {
			return fmt.Errorf("RAGEDGE_CPU: %w", err)
		}
	}
	if required != "" && KernelSet() != required {
		return fmt.Errorf("RAGEDGE_REQUIRE_CPU is %s, but kernel set %s is in use", required, KernelSet())
	}
	return nil
}
