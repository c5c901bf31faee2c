//go:build (amd64 || arm64) && !purego

package ragedge

import "github.com/ragedge/ragedge/kernel/kerneltest"

func init() {
	if len(assembled()) > 0 {
		floor = kerneltest.Loads
	}
}
