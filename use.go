package ragedge

import (
	"fmt"
	"slices"
	"strings"
)

var (
	sets    = append(assembled(), "generic")
	current = sets[0]
)

// KernelSet returns the name of the set in use: "avx512", "avx2", "neon" or
// "generic".
func KernelSet() string { return current }

// KernelSets returns the sets that this build has and this CPU can run, best
// first. The last is always "generic", plain Go.
func KernelSets() []string { return slices.Clone(sets) }

// Use makes every kernel run on the named set. Without it the best one runs. It
// is for the start of a program: no kernel may run at the same time.
func Use(set string) error {
	if !slices.Contains(sets, set) {
		return fmt.Errorf("kernel set %q: this CPU and build have %s", set, strings.Join(sets, ", "))
	}
	current = set
	use(set)
	return nil
}
