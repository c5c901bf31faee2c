package kernel_test

import (
	"testing"

	"github.com/ragedge/ragedge/kernel/kerneltest"
)

func TestLayers(t *testing.T) { kerneltest.RunLayers(t, kerneltest.PlainLayers) }
