package kernel_test

import (
	"testing"

	"github.com/ragedge/ragedge/kernel"
	"github.com/ragedge/ragedge/kernel/kerneltest"
)

func TestTranspose(t *testing.T) { kerneltest.RunTranspose(t, kernel.Transpose) }
