package bench

import (
	"fmt"
	"os"
	"testing"

	"github.com/ragedge/ragedge"
)

// TestMain puts the kernel set of RAGEDGE_CPU to use, the best one without it.
func TestMain(m *testing.M) {
	if set := os.Getenv("RAGEDGE_CPU"); set != "" {
		if err := ragedge.Use(set); err != nil {
			fmt.Fprintln(os.Stderr, "RAGEDGE_CPU:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}
